/** No scale is larger, whatever it has grown to: its products stay in range. */
export const LARGEST_SCALE = 2 ** 100;
