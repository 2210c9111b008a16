// A small store in IndexedDB: one database, named stores, values by key. Nothing here leaves the device.

const database = "passlight";
const stores = ["device", "wallet", "queue", "door"] as const;
const version = 2;
export type StoreName = (typeof stores)[number];

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(database, version);
    request.onupgradeneeded = () => {
      const made = request.result.objectStoreNames;
      for (const name of stores) if (!made.contains(name)) request.result.createObjectStore(name);
    };
    request.onsuccess = () => {
      // Another tab with a newer page must not wait for this one.
      request.result.onversionchange = () => {
        request.result.close();
        opened = null;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
  return opened;
}

async function run<T>(name: StoreName, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const connection = await open();
  return new Promise((resolve, reject) => {
    const transaction = connection.transaction(name, mode, { durability: "strict" });
    const request = act(transaction.objectStore(name));
    // Resolved on completion of the transaction, so what was put is on disk.
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error ?? new Error("IndexedDB"));
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB"));
  });
}

export function get<T>(name: StoreName, key: string): Promise<T | undefined> {
  return run<T | undefined>(name, "readonly", (store) => store.get(key) as IDBRequest<T | undefined>);
}

export function all<T>(name: StoreName): Promise<T[]> {
  return run<T[]>(name, "readonly", (store) => store.getAll() as IDBRequest<T[]>);
}

export async function put(name: StoreName, key: string, value: unknown): Promise<void> {
  await run(name, "readwrite", (store) => store.put(value, key));
}

export async function remove(name: StoreName, key: string): Promise<void> {
  await run(name, "readwrite", (store) => store.delete(key));
}

/** Forgets what belongs to a person on this device: at logout. What a door has still to send is not theirs. */
export async function forgetAll(): Promise<void> {
  for (const name of ["device", "wallet"] as const) await run(name, "readwrite", (store) => store.clear());
}
