/** The extension's own language server, for workspaces without netc. */
import { serve } from "../../editor/node/serve.js";

serve();
