/**
 * What can go wrong at run time. Every message makes sense alone: what was expected, what came,
 * what to do.
 */

/** The base of all errors that the runtime throws on purpose. */
export class NetcError extends Error {
  override readonly name: string = "NetcError";
}

/**
 * An argument is wrong: a length, a label, a value that is not finite, a call on a destroyed
 * network.
 */
export class InputError extends NetcError {
  override readonly name: string = "InputError";
}

/** A weights file is truncated, foreign, or belongs to another network. */
export class WeightsError extends NetcError {
  override readonly name: string = "WeightsError";
}

/** The program asks for more than the device grants. */
export class DeviceLimitError extends NetcError {
  override readonly name: string = "DeviceLimitError";
}

/** The batch makes a buffer exceed the device's limits, or its memory. */
export class BatchTooLargeError extends DeviceLimitError {
  override readonly name: string = "BatchTooLargeError";

  constructor(
    message: string,
    /** The largest batch whose buffers respect the limits; undefined when only memory ran out. */
    readonly largestBatch?: number,
  ) {
    super(message);
  }
}

/**
 * The device was lost (a driver reset, a dispatch that took too long), or reported an error in its
 * work.
 */
export class DeviceLostError extends NetcError {
  override readonly name: string = "DeviceLostError";

  constructor(
    message: string,
    /**
     * Whether the device is gone, so that another may do better: an error that it reported would be
     * met again.
     */
    readonly isGone: boolean,
  ) {
    super(message);
  }
}

/** No usable GPU, hardware or software. */
export class NoAdapterError extends NetcError {
  override readonly name: string = "NoAdapterError";

  constructor(
    message: string,
    /** What was tried, in order, and what came of it. */
    readonly tried: readonly string[] = [],
  ) {
    super(message);
  }
}
