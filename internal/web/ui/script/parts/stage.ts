// A view of a plane that people move: by dragging, pinching, the wheel and keys. It
// knows nothing of what is drawn.

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What of the plane is seen: the point in the middle, and how large it is shown. */
export class View {
  x = 0;
  y = 0;
  scale = 1;
  width = 0;
  height = 0;

  constructor(
    readonly least: number,
    readonly most: number,
    readonly changed: () => void,
  ) {}

  toScreen(x: number, y: number): [number, number] {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toPlane(x: number, y: number): [number, number] {
    return [(x - this.width / 2) / this.scale + this.x, (y - this.height / 2) / this.scale + this.y];
  }

  move(dx: number, dy: number) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.changed();
  }

  /** Comes nearer by a factor; what is at a point of the screen stays there. */
  zoom(factor: number, x = this.width / 2, y = this.height / 2) {
    const [px, py] = this.toPlane(x, y);
    this.scale = Math.min(this.most, Math.max(this.least, this.scale * factor));
    this.x = px - (x - this.width / 2) / this.scale;
    this.y = py - (y - this.height / 2) / this.scale;
    this.changed();
  }

  /** Shows a box as a whole. */
  fit(box: Box, margin = 24) {
    const width = Math.max(box.right - box.left, 1);
    const height = Math.max(box.bottom - box.top, 1);
    const scale = Math.min((this.width - 2 * margin) / width, (this.height - 2 * margin) / height);
    this.scale = Math.min(this.most, Math.max(this.least, Math.min(scale, 1.6)));
    this.x = (box.left + box.right) / 2;
    this.y = (box.top + box.bottom) / 2;
    this.changed();
  }

  /** Moves as little as needed until a point is well inside. */
  reveal(x: number, y: number, margin = 60) {
    const [sx, sy] = this.toScreen(x, y);
    const dx = sx < margin ? margin - sx : sx > this.width - margin ? this.width - margin - sx : 0;
    const dy = sy < margin ? margin - sy : sy > this.height - margin ? this.height - margin - sy : 0;
    if (dx !== 0 || dy !== 0) this.move(dx, dy);
  }
}

/** Lets people move a view by pointer and wheel; press is a pointer that did not move. */
export function movable(element: HTMLElement, view: View, press: (x: number, y: number) => void) {
  const fingers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const place = (e: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: e.clientX - box.left, y: e.clientY - box.top };
  };
  element.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    if (fingers.size === 0) moved = 0;
    fingers.set(e.pointerId, place(e));
    element.setPointerCapture(e.pointerId);
  });
  element.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const now = place(e);
    const others = [...fingers].filter(([id]) => id !== e.pointerId).map(([, at]) => at);
    fingers.set(e.pointerId, now);
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (moved < 4) return;
    const other = others[0];
    if (!other) {
      view.move(now.x - before.x, now.y - before.y);
      return;
    }
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    if (was > 1 && is > 1) view.zoom(is / was, (now.x + other.x) / 2, (now.y + other.y) / 2);
  });
  const end = (e: PointerEvent) => {
    const at = fingers.get(e.pointerId);
    if (!at) return;
    fingers.delete(e.pointerId);
    if (e.type === "pointerup" && fingers.size === 0 && moved < 4) press(at.x, at.y);
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
  element.addEventListener(
    "wheel",
    (e) => {
      // Without a key, the wheel scrolls the page, unless the reader is inside.
      if (!e.ctrlKey && !e.metaKey && document.activeElement !== element) return;
      e.preventDefault();
      const { x, y } = place(e);
      view.zoom(Math.exp(-Math.max(-80, Math.min(80, e.deltaY)) / 240), x, y);
    },
    { passive: false },
  );
}
