/** Lines of a schemata file (kernel documentation, filesystems/resctrl): `L3:0=7f0;1=1f`. */

/** The resource and the value of each of its domains; undefined for a line of another format. */
function parseLine(line: string): { resource: string; domains: Map<string, string> } | undefined {
  const [, resource, list] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
  if (resource === undefined || list === undefined) return undefined;
  const domains = new Map<string, string>();
  for (const part of list.split(';')) {
    const [, domain, value] = /^\s*(\w+)\s*=\s*(\w+)\s*$/.exec(part) ?? [];
    if (domain === undefined || value === undefined) return undefined;
    domains.set(normal(domain), normal(value));
  }
  return { resource, domains };
}

/** Without what the kernel adds to masks: leading zeros or blanks, capital letters are small. */
function normal(number: string): string {
  return number.toLowerCase().replace(/^(0x)?0*(?=.)/, '');
}

/** True when the schemata file `text` has what `line` asks for, in each domain that `line` names. */
export function hasSchema(text: string, line: string): boolean {
  const wanted = parseLine(line);
  if (wanted === undefined) return false;
  const present = text
    .split('\n')
    .map(parseLine)
    .find((parsed) => parsed?.resource === wanted.resource);
  return [...wanted.domains].every(([domain, value]) => present?.domains.get(domain) === value);
}

/** The resource a line is about: `L3`. */
export function resourceOf(line: string): string {
  return line.split(':', 1).join('').trim();
}

/** The lines of the schemata file `text`, without the blanks the kernel puts before them. */
export function linesOf(text = ''): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
