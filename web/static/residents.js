/** What a resident's browser asks over HTTP, and the secrets of today's tickets that it keeps. */

const KEPT = "junban";
const PATIENCE_MS = 10_000;
const SILENCE = "応答がありません。電波の状態を確かめて、もう一度押してください。";

/** Ask once: {answer}, {refusal} as on the sockets, or {silence}. Sending the same id again is safe. */
export async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const told = await response.json();
    return response.ok ? { answer: told } : { refusal: told.refusal };
  } catch {
    return { silence: SILENCE };
  }
}

/** SHA-256, hexadecimal. Only pages from a secure place (https, this machine) may reckon it. */
export async function digestOf(secret) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function keptSecrets() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return []; // storage is switched off, or holds something else
  }
}

export function keepSecrets(secrets) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(secrets));
  } catch {
    // the address of the ticket's page still has it
  }
}
