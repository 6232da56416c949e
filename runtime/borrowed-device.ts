/** A device that the page uses, too: only networks that borrow one load this file. */
import type { inErrorScopes } from "./error-scopes.js";

/** The calls of a device and of its queue that report what is wrong with them later. */
const REPORTING_CALLS = /^(create(?!Buffer|.*Async)|import|submit|write|copy)/;

type Method = (this: unknown, ...given: unknown[]) => unknown;

const isMethod = (value: unknown): value is Method => typeof value === "function";

/**
 * A device that its page uses, too, with the errors of calls that are made with this object. The
 * calls are synchronous, so error scopes tell them from those of the page.
 */
export function reporting(
  gpu: GPUDevice,
  report: (error: GPUError) => void,
  /** Given, because an import would split the file that a page loads first. */
  scoped: typeof inErrorScopes,
): GPUDevice {
  const wrap = <Kind extends object>(target: Kind): Kind =>
    new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === "queue") return wrap(value as GPUQueue);
        if (!isMethod(value)) return value;
        if (!REPORTING_CALLS.test(String(name))) return value.bind(target);
        return (...given: unknown[]) => {
          const { result, error } = scoped(gpu, () => value.apply(target, given));
          void error.then((found) => found && report(found));
          return result;
        };
      },
    });
  return wrap(gpu);
}
