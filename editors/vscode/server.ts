/** The language server that the extension brings along, for workspaces without a netc of their own. */
import { serve } from "../../editor/node/serve.js";

serve();
