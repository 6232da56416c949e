/** Words and texts that tend to break programs which read them. */

/** What every object inherits, and other names with a meaning in JavaScript. */
export const hostileNames: readonly string[] = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...["prototype", "length", "name", "then", "undefined", "null", "NaN", "Infinity", "arguments"],
];

/** Numbers at the edges of what a double, an integer, a buffer or an axis holds. */
export const hostileNumbers: readonly string[] = [
  ...["0", "00", "-1", "1e308", "1e-320", "1e999", "0.1", "9007199254740992", "4294967296"],
  ...["2147483648", "1000000", "65536", "10001", "999999999999999999999999999999", "1e30"],
];

/** Texts for paths, names and comments that end where the text around them begins. */
export const hostileTexts: readonly string[] = [
  ...[
    "\nglobalThis.netcHarm=1;//",
    "\r\nglobalThis.netcHarm=1;//",
    "\u2028globalThis.netcHarm=1;//",
  ],
  ...["\u2029globalThis.netcHarm=1;//", "*/globalThis.netcHarm=1;/*", "`;globalThis.netcHarm=1;`"],
  ...["${globalThis.netcHarm=1}", '";globalThis.netcHarm=1;"', "';globalThis.netcHarm=1;'"],
  ...["\\", "</script><script>globalThis.netcHarm=1</script>", "<!--", "]]>", "&lt;", "\u001b[2J"],
  ...["\u009b2J", "\u0007", "\u0000", "\u202e", "\ud800", '"><img src=x onerror=alert(1)>'],
];
