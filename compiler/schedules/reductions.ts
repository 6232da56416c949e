/** How reductions are spread over lanes, and in what parts. */

/**
 * Workgroups that share the sum of a gradient's squares: enough to fill an adapter, few enough for
 * one to add them up.
 */
export const SQUARES_BLOCKS = 64;

/**
 * Values of a channel that a lane goes through, at least: enough to spread the cost of a thread and
 * of its part.
 */
export const PART_VALUES = 64;

/**
 * Elements of a group up to which a thread goes through them alone, if there is a group for each
 * pixel.
 */
export const MOST_OF_A_THREAD = 256;
