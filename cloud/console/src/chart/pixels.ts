/** How wide a chart is, in steps, so that readings are not read anew for every pixel. */
import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

const STEP = 100;

/** Return a ref for the box of charts, and its width in px rounded up to hundreds; 0 before it is known. */
export function usePixels(): [RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const pixels = useSignal(0);
  useEffect(() => {
    if (!box.current) return;
    const size = new ResizeObserver(([entry]) => {
      pixels.value = Math.ceil((entry?.contentRect.width ?? 0) / STEP) * STEP;
    });
    size.observe(box.current);
    return () => size.disconnect();
  }, []);
  return [box, pixels.value];
}
