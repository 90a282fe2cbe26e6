/** What the guidance tells apart. */
export interface Platform {
  readonly os: "windows" | "macos" | "linux" | "other";
  readonly browser: "chrome" | "edge" | "firefox" | "other";
}

/** Where the vendor of the client offers it for this browser and system. */
export const INSTALL_URL = "https://get.webpkiplugin.com/";

/** Reads the user agent: nothing else tells Edge from Chrome and a Mac from an iPad everywhere. */
export function platformOf(userAgent: string): Platform {
  const os = /Windows/.test(userAgent)
    ? "windows"
    : /Mac OS X|Macintosh/.test(userAgent)
      ? "macos"
      : /Linux|X11|CrOS/.test(userAgent)
        ? "linux"
        : "other";
  const browser = /Edg\//.test(userAgent)
    ? "edge"
    : /Firefox\//.test(userAgent)
      ? "firefox"
      : /Chrome\//.test(userAgent) && !/OPR\//.test(userAgent)
        ? "chrome"
        : "other";
  return { os, browser };
}

/** Whether this device can never have the client: Android, iOS, and an iPad that calls itself a Mac. */
export function isMobile(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  return /Android|iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 3);
}
