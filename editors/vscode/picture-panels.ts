import {
  type Disposable,
  type TextDocument,
  ViewColumn,
  type WebviewPanel,
  window,
  workspace,
} from "vscode";
import { Drawing, modelsIn, pageOf } from "./drawing.js";

/** Milliseconds without typing after which a picture is drawn again. */
const QUIET = 400;

/** Pictures of networks next to their specs, one for each document, which follow what is typed. */
export class PicturePanels implements Disposable {
  private readonly panels = new Map<string, PicturePanel>();
  private readonly subscription = workspace.onDidChangeTextDocument(({ document }) =>
    this.panels.get(document.uri.toString())?.schedule(),
  );

  /** @param script path of the program that draws */
  constructor(private readonly script: string) {}

  /** Opens the picture of a document's network, or brings it to the front. */
  async show(document: TextDocument): Promise<void> {
    const models = modelsIn(document.getText());
    const model = models.length > 1 ? await window.showQuickPick(models) : models[0];
    if (models.length > 1 && model === undefined) return;
    const panel = this.panels.get(document.uri.toString()) ?? this.open(document);
    await panel.show(model);
  }

  private open(document: TextDocument): PicturePanel {
    const key = document.uri.toString();
    const panel = new PicturePanel(document, this.script, () => this.panels.delete(key));
    this.panels.set(key, panel);
    return panel;
  }

  dispose(): void {
    this.subscription.dispose();
    for (const panel of [...this.panels.values()]) panel.close();
  }
}

class PicturePanel {
  private readonly panel: WebviewPanel;
  private readonly drawing: Drawing;
  private timer: NodeJS.Timeout | undefined;
  private model: string | undefined;
  /** The last picture that could be drawn. */
  private svg = "";

  constructor(
    private readonly document: TextDocument,
    script: string,
    closed: () => void,
  ) {
    this.drawing = new Drawing(script);
    const name = document.uri.path.split("/").at(-1);
    const column = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    this.panel = window.createWebviewPanel("netc.network", `Network: ${name}`, column);
    this.panel.onDidDispose(() => {
      clearTimeout(this.timer);
      this.drawing.stop();
      closed();
    });
  }

  async show(model: string | undefined): Promise<void> {
    this.model = model;
    this.panel.reveal(undefined, true);
    await this.draw();
  }

  schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.draw(), QUIET);
  }

  close(): void {
    this.panel.dispose();
  }

  private async draw(): Promise<void> {
    const answer = await this.drawing.draw({
      text: this.document.getText(),
      path: this.document.uri.fsPath,
      model: this.model,
    });
    if (!answer) return;
    if (answer.kind === "picture") this.svg = answer.svg;
    this.panel.webview.html = pageOf(this.svg, answer.kind === "mistake" ? answer.message : "");
  }
}
