import netc from "netc/vite";

// A relative base: the built page works in any folder of a server.
export default { base: "./", plugins: [netc()], build: { target: "es2022" } };
