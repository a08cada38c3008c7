/** The person types the token of the service; it is kept until the tab is closed. */

import { make } from "./explorer/elements.js";

/** Ask for the token; `wrong` when one was given that is not right. */
export function askToken(wrong) {
  return new Promise((resolve) => {
    const input = make("input", { type: "password", id: "token", required: true, autocomplete: "current-password" });
    const dialog = make("dialog", { "aria-labelledby": "token-title", oncancel: (event) => event.preventDefault(),
      // a second Escape closes it all the same, and nothing would be asked or shown again
      onclose: () => dialog.isConnected && dialog.showModal() },
      make("form", {
        method: "dialog", onsubmit: (event) => {
          event.preventDefault();
          dialog.close();
          dialog.remove();
          resolve(input.value.trim());
        },
      },
      make("h2", { id: "token-title", text: "This service needs a token" }),
      wrong ? make("p", { class: "problem", role: "alert", text: "That token is not right." }) : null,
      make("label", { for: "token", text: "Token, from the operator of the service" }), input,
      make("button", { type: "submit", class: "main", text: "Open" })));
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
