/** The current time as RFC 3339 with nanoseconds, UTC: `2026-11-21T03:04:05.123456789Z`. */
export function timestamp(): string {
  return rfc3339Nano(performance.timeOrigin + performance.now());
}

/** A time in milliseconds since 1970, with a fraction, as RFC 3339 with nanoseconds. */
export function rfc3339Nano(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const nanoseconds = Math.floor((milliseconds - whole) * 1e6);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(nanoseconds).padStart(6, '0')}Z`;
}
