/** How many cases of random tests run: all with NETC_TEST_FULL=1, else the first of the same. */
const isFull = process.env["NETC_TEST_FULL"] === "1";

/** How many cases of a random test run that has `count` of them in full. */
export const casesOf = (count: number): number => (isFull ? count : Math.ceil(count / 4));
