import { defineConfig } from "vite";

// The page and Freshet are one origin to the browser, as behind a load balancer.
const proxy = { "/v1": process.env.FRESHET_URL ?? "http://127.0.0.1:4437" };

export default defineConfig({ server: { proxy }, preview: { proxy } });
