// Keeps one page usable while the server is away, the resident's or the checker's: the newest good page and its files.
// Holds pages and files only; codes, keys and records live in IndexedDB and never pass through here.

interface WorkerScope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly registration: { readonly scope: string };
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown; waitUntil(done: Promise<unknown>): void }) => void): void;
}
interface ExtendableEvent {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const worker = self as unknown as WorkerScope;
// The one page of this worker is what it is served below: /me/ or /checker/.
const home = new URL(worker.registration.scope).pathname;
const files = `passlight-files-1${home}`;
const pages = `passlight-pages-1${home}`;
const patience = 4_000;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (event) => {
  if (event.data === "forget") event.waitUntil(Promise.all([caches.delete(files), caches.delete(pages)]));
  const wanted = (event.data as { keep?: string[] }).keep;
  if (wanted) event.waitUntil(keep(wanted));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(fileFirst(request));
  else if (request.mode === "navigate" && url.pathname === home) event.respondWith(serverFirst(request));
});

/** Files carry their version in the address: what is held is right. */
async function fileFirst(request: Request): Promise<Response> {
  const held = await (await caches.open(files)).match(request);
  if (held) return held;
  const response = await fetch(request);
  // A part of a file, as players ask for it, is not the file.
  if (response.status === 200) await (await caches.open(files)).put(request, response.clone());
  return response;
}

async function keep(wanted: readonly string[]): Promise<void> {
  const [fileCache, pageCache] = await Promise.all([caches.open(files), caches.open(pages)]);
  if (!(await pageCache.match(home))) await pageCache.add(home);
  for (const name of wanted) if (!(await fileCache.match(name))) await fileCache.add(name);
}

async function serverFirst(request: Request): Promise<Response> {
  const cache = await caches.open(pages);
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(patience) });
    if (response.ok && !response.redirected) await cache.put(home, response.clone());
    if (response.status < 500) return response;
    return (await cache.match(home)) ?? response;
  } catch {
    return (await cache.match(home)) ?? Response.error();
  }
}

export {};
