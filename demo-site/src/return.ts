/** The page that a cloud service sends people back to. */

import "@rubrica/web/return";
