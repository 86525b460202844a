/**
 * The path below /proc/sys that a sysctl name means (sysctl(8)): `net.ipv4.ip_forward` is
 * `net/ipv4/ip_forward`. Whichever of `.` and `/` comes first is the separator, and the other one stands
 * for it in a name: `net/ipv4/conf/eth0.1/rp_filter` and `net.ipv4.conf.eth0/1.rp_filter` are the same.
 */
export function sysctlPath(name: string): string {
  if (/^[^./]*\//.test(name)) return name;
  return name.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
}
