import netc from "netc/vite";

export default { plugins: [netc()], build: { target: "es2022" } };
