import { Worker } from "node:worker_threads";

/** What is to be drawn. */
export interface PictureRequest {
  readonly text: string;
  /** The spec's file: imports are relative to it. */
  readonly path: string;
  /** The spec's first if left out. */
  readonly model?: string;
}

/** What came of it. */
export type PictureAnswer =
  | { readonly kind: "picture"; readonly svg: string }
  | { readonly kind: "mistake"; readonly message: string };

/**
 * Draws one spec again and again as it changes. A drawing that is overtaken by the next is given
 * up.
 */
export class Drawing {
  private worker: Worker | undefined;

  /** @param script path of the worker's program */
  constructor(private readonly script: string) {}

  /** The network as SVG; undefined if another request came in between. */
  async draw(request: PictureRequest): Promise<PictureAnswer | undefined> {
    this.stop();
    const worker = new Worker(this.script, { workerData: request });
    this.worker = worker;
    const answer = await new Promise<PictureAnswer | undefined>((resolve) => {
      worker.once("message", resolve);
      worker.once("error", ({ message }) => resolve({ kind: "mistake", message }));
      worker.once("exit", () => resolve(undefined));
    });
    return this.worker === worker ? answer : undefined;
  }

  stop(): void {
    void this.worker?.terminate();
    this.worker = undefined;
  }
}

/** The models that a spec declares, by name. */
export function modelsIn(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*model\s+(\w+)/gm)].map((match) => match[1]!);
}

/**
 * A page without scripts that shows a picture, and above it what is wrong with the spec since it
 * was drawn.
 */
export function pageOf(svg: string, mistake: string): string {
  const note = mistake === "" ? "" : `<p class="mistake">${escapeHtml(mistake)}</p>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
  body { margin: 0; padding: 0; }
  main { display: flex; min-width: max-content; justify-content: center; }
  .mistake {
    position: sticky; top: 0; left: 0; margin: 0; padding: 6px 12px;
    font-family: var(--vscode-font-family);
    color: var(--vscode-inputValidation-errorForeground, inherit);
    background: var(--vscode-inputValidation-errorBackground);
  }
</style>
</head>
<body>${note}<main>${svg}</main></body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
