// Reads QR codes from the camera or from a picture: the browser's own detector first, zxing-wasm otherwise.

import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

/** Why no picture comes from the camera; each has its own words on the page. */
export type CameraFault = "insecure" | "denied" | "missing" | "busy";

interface Detector {
  detect(source: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}
interface DetectorConstructor {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

const widest = 960;
const pauseMs = 40;

let prepared = false;

function prepare(wasm: string): void {
  if (prepared) return;
  prepared = true;
  prepareZXingModule({ overrides: { locateFile: (path: string) => (path.endsWith(".wasm") ? wasm : path) } });
}

async function ownDetector(): Promise<Detector | null> {
  const made = (globalThis as { BarcodeDetector?: DetectorConstructor }).BarcodeDetector;
  if (!made) return null;
  try {
    return (await made.getSupportedFormats()).includes("qr_code") ? new made({ formats: ["qr_code"] }) : null;
  } catch {
    return null;
  }
}

/** Reads the texts of the QR codes in one picture. */
export async function readPicture(image: ImageData, wasm: string): Promise<string[]> {
  prepare(wasm);
  const found = await readBarcodes(image, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 });
  return found.filter((result) => result.isValid).map((result) => result.text);
}

/** Reads a picture file that somebody chose, when there is no camera. */
export async function readFile(file: File, wasm: string): Promise<string | null> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, 1600 / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return (await readPicture(context.getImageData(0, 0, canvas.width, canvas.height), wasm))[0] ?? null;
}

/** The camera, read continuously while it runs and is not paused. */
export class Scanner {
  private stream: MediaStream | null = null;
  private detector: Detector | null = null;
  private running = false;
  paused = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly wasm: string,
    private readonly found: (text: string) => void,
  ) {}

  /** Starts the camera; returns why not, or null. */
  async start(): Promise<CameraFault | null> {
    if (!("mediaDevices" in navigator)) return "insecure";
    prepare(this.wasm);
    this.detector = await ownDetector();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
        audio: false,
      });
    } catch (error) {
      return faultOf(error);
    }
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => undefined);
    this.running = true;
    void this.loop();
    return null;
  }

  stop(): void {
    this.running = false;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  /** Whether this camera has a lamp. */
  get hasTorch(): boolean {
    const track = this.stream?.getVideoTracks()[0];
    return Boolean(track && "torch" in (track.getCapabilities?.() ?? {}));
  }

  async torch(on: boolean): Promise<void> {
    const constraint = { torch: on } as MediaTrackConstraintSet;
    await this.stream?.getVideoTracks()[0]?.applyConstraints({ advanced: [constraint] });
  }

  private async loop(): Promise<void> {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    while (this.running && context) {
      if (!this.paused && !document.hidden && this.video.videoWidth > 0) {
        const text = await this.readFrame(canvas, context).catch(() => null);
        if (text && !this.paused) this.found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  private async readFrame(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): Promise<string | null> {
    if (this.detector) {
      try {
        return (await this.detector.detect(this.video))[0]?.rawValue ?? null;
      } catch {
        this.detector = null; // promised and not kept: the other reader from now on
      }
    }
    const scale = Math.min(1, widest / this.video.videoWidth);
    canvas.width = Math.round(this.video.videoWidth * scale);
    canvas.height = Math.round(this.video.videoHeight * scale);
    context.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return (await readPicture(context.getImageData(0, 0, canvas.width, canvas.height), this.wasm))[0] ?? null;
  }
}

function faultOf(error: unknown): CameraFault {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "missing";
}
