import { createRoot } from "react-dom/client";
import { Chat } from "./chat.jsx";

// The conversation is in the address: another tab with it shows the same.
location.hash ||= crypto.randomUUID();
const model = new URLSearchParams(location.search).get("model");

createRoot(document.body.appendChild(document.createElement("main"))).render(<Chat id={location.hash.slice(1)} model={model} />);
