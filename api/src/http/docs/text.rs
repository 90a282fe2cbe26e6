//! Text into HTML.

/// Escapes what has a meaning in HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Paragraphs, `code` and **strong**: all that our descriptions use.
pub(super) fn markdown(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", inline(paragraph))).collect()
}

/// The same within a paragraph.
pub(super) fn inline(text: &str) -> String {
    let mut html = String::new();
    for (index, piece) in text.split('`').enumerate() {
        if index % 2 == 1 {
            html.push_str(&format!("<code>{}</code>", escape(piece)));
            continue;
        }
        for (index, piece) in piece.split("**").enumerate() {
            let piece = escape(piece);
            html.push_str(&if index % 2 == 1 { format!("<strong>{piece}</strong>") } else { piece });
        }
    }
    html
}
