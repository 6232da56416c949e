import { createMODEL } from "./NAME.net";

const [output, input, image, table] = ["output", "input", "img", "table"].map((name) =>
  document.querySelector(name),
);

async function start() {
  const net = await createMODEL({ batch: 1 });
  await net.load(await (await fetch("best.safetensors")).arrayBuffer());
  output.textContent = "Ready";

  const classify = async (file) => {
    image.src = URL.createObjectURL(file);
    image.hidden = false;
    const classes = await net.classify(file, { top: 3 });
    const rows = classes.map(({ name, probability }) => {
      const row = document.createElement("tr");
      for (const text of [name, `${(100 * probability).toFixed(1)}%`]) {
        row.insertCell().textContent = text;
      }
      return row;
    });
    table.replaceChildren(...rows);
    output.textContent = "";
  };
  const show = (file) => classify(file).catch((error) => (output.textContent = error.message));
  input.addEventListener("change", () => show(input.files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) show(file);
  });
}

start().catch((error) => (output.textContent = error.message));
