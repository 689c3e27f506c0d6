// Passkeys: asks the server what to ask, asks the browser, sends the answer as an ordinary form.
// Each form names its options address in data-options and its ceremony in data-ceremony.
"use strict";

const supported =
  window.PublicKeyCredential &&
  PublicKeyCredential.parseCreationOptionsFromJSON &&
  PublicKeyCredential.parseRequestOptionsFromJSON;

async function options(form) {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, Accept: "application/json" },
  });
  if (answer.redirected) {
    window.location.assign(answer.url); // the server wants to know first who asks
    return new Promise(() => {});
  }
  if (!answer.ok) throw new Error("no options");
  return answer.json();
}

async function ask(form) {
  const asked = await options(form);
  const credential =
    form.dataset.ceremony === "register"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
  return JSON.stringify(credential.toJSON());
}

for (const form of document.querySelectorAll("form[data-ceremony]")) {
  const trouble = form.querySelector("[data-trouble]");
  if (!supported) {
    trouble.textContent = form.dataset.unable || "This browser cannot use passkeys.";
    form.querySelector("button").disabled = true;
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble.textContent = "";
    try {
      form.elements.passkey.value = await ask(form);
      form.submit();
    } catch (error) {
      trouble.textContent = form.dataset.unused || "No passkey was used. You can try again.";
    }
  });
}
