/** Integers with more digits than this fit no type of the specification; they need no exact value. */
const maxDigits = 40;

/** A JSON number; a bigint when it is an integer outside the exact range of numbers. */
export function exactNumber(token: string): number | bigint {
  const number = Number(token);
  if (Number.isSafeInteger(number) && token.length < 16) return number;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(token) ?? [];
  const zeros = Number(exponent) - fraction.replace(/0+$/, '').length;
  const digits = (whole + fraction.replace(/0+$/, '')).replace(/^0+/, '');
  if (digits === '') return number;
  const dropped = zeros < 0 ? digits.slice(zeros) : '';
  if (digits.length + zeros > maxDigits || -zeros > maxDigits || /[1-9]/.test(dropped)) return number;
  const kept = zeros < 0 ? digits.slice(0, zeros) : digits + '0'.repeat(zeros);
  const integer = BigInt(`${sign}${kept === '' ? '0' : kept}`);
  const exact = Number(integer);
  return Number.isSafeInteger(exact) ? exact : integer;
}
