/** Domain names as Route 53 has them: lower case, with their trailing dot, unusual characters as `\ooo`. */

/** `WWW.Example.com` → `www.example.com.`; an octal escape becomes its character. */
export function canonicalName(name: string): string {
  const plain = name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return `${plain.toLowerCase().replace(/\.$/, '')}.`;
}

/** As the API answers it: whatever is no letter, digit, hyphen or underscore is escaped. */
export const escapedName = (name: string): string =>
  name.replace(/[^a-z0-9\-_.]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** Whether a canonical name is that of the zone, or below it. */
export const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** `www.example.com.` → `example.com.`; the root has none. */
export const parentOf = (name: string): string => name.slice(name.indexOf('.') + 1);

/** Whether a canonical name has labels of 1 to 63 characters, 255 in all. */
export function isDomainName(name: string): boolean {
  const labels = name.slice(0, -1).split('.');
  return name.length <= 255 && labels.every((label) => /^[\x21-\x7e]{1,63}$/.test(label) && !label.includes('\\'));
}

/** The order of Route 53's lists: by labels from the right. */
export function compareNames(a: string, b: string): number {
  const [left, right] = [reversed(a), reversed(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A space sorts before every character of a name, so that a parent comes before its children. */
const reversed = (name: string): string => name.slice(0, -1).split('.').reverse().join(' ');
