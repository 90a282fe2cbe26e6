//! Finds a page and says where a rectangle that a reader sees lies in its user space.

use std::collections::BTreeSet;

use super::{Rectangle, invalid};
use crate::pades::PadesError;
use crate::pdf::{Dictionary, Document, Object, PdfError, Reference};

/// Nodes of the page tree that are looked at on the way to a page.
const MAX_NODES: usize = 100_000;
/// Levels of the page tree.
const MAX_LEVELS: usize = 64;
/// What rounding may put outside a page, in points.
const TOLERANCE: f64 = 0.01;
/// The least width and height that can show something, in points.
const MIN_SIDE: f64 = 1.0;

/// A page with what it inherits.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) reference: Reference,
    pub(super) dictionary: Dictionary,
    /// Clockwise, in degrees: 0, 90, 180 or 270.
    pub(super) rotation: i64,
    /// What a reader shows, in user space: left, bottom, right, top.
    shown: [f64; 4],
}

/// The page of that number, from 1. `/Count` is not believed: readers that count leaves would see another
/// page.
pub(super) fn find(document: &Document<'_>, catalog: &Dictionary, number: u32) -> Result<Page, PadesError> {
    let missing = || invalid(format!("the document has no page {number}"));
    let root = catalog.get(b"Pages").and_then(Object::as_reference);
    let mut ahead = vec![root.ok_or(PdfError::damaged(0, "the document has no page"))?];
    let mut seen = BTreeSet::new();
    let mut left = number;
    while let Some(reference) = ahead.pop() {
        if seen.len() == MAX_NODES {
            return Err(PdfError::limit("nodes in the page tree", MAX_NODES as u64).into());
        }
        if !seen.insert(reference) {
            return Err(PdfError::damaged(0, "the page tree has a loop").into());
        }
        let Object::Dictionary(node) = document.resolve(&reference.into())? else {
            return Err(PdfError::damaged(0, "a page is missing").into());
        };
        if let Some(kids) = document.value(&node, b"Kids")? {
            let kids = kids.as_array().ok_or(PdfError::damaged(0, "the Kids of a page tree are no array"))?;
            ahead.extend(kids.iter().rev().filter_map(Object::as_reference));
            continue;
        }
        left = left.checked_sub(1).ok_or_else(missing)?;
        if left == 0 {
            return page(document, reference, node);
        }
    }
    Err(missing())
}

fn page(document: &Document<'_>, reference: Reference, dictionary: Dictionary) -> Result<Page, PadesError> {
    let media = inherited(document, &dictionary, b"MediaBox")?;
    let media = media.ok_or(PdfError::damaged(0, "a page has no MediaBox"))?;
    let media = rectangle(document, &media)?;
    let shown = match inherited(document, &dictionary, b"CropBox")? {
        None => media,
        Some(crop) => {
            // ISO 32000-2 §14.11.2: what lies outside the media box is not there.
            let crop = rectangle(document, &crop)?;
            [crop[0].max(media[0]), crop[1].max(media[1]), crop[2].min(media[2]), crop[3].min(media[3])]
        }
    };
    let rotation = rotation(document, &dictionary)?;
    Ok(Page { reference, dictionary, rotation, shown })
}

/// Rotation of the page on which a widget stands; none when it does not say which.
pub(super) fn rotation_at(document: &Document<'_>, widget: &Dictionary) -> Result<i64, PadesError> {
    match document.value(widget, b"P")? {
        Some(Object::Dictionary(page)) => rotation(document, &page),
        _ => Ok(0),
    }
}

fn rotation(document: &Document<'_>, page: &Dictionary) -> Result<i64, PadesError> {
    match inherited(document, page, b"Rotate")? {
        None => Ok(0),
        Some(Object::Integer(degrees)) if degrees % 90 == 0 => Ok(degrees.rem_euclid(360)),
        Some(_) => Err(PdfError::damaged(0, "the rotation of a page is not a multiple of 90").into()),
    }
}

/// The value of a key of the page or of the nearest node above it.
fn inherited(document: &Document<'_>, page: &Dictionary, key: &[u8]) -> Result<Option<Object>, PdfError> {
    let mut node = page.clone();
    for _ in 0..MAX_LEVELS {
        if let Some(value) = document.value(&node, key)? {
            return Ok(Some(value));
        }
        match document.dictionary(&node, b"Parent")? {
            Some(parent) => node = parent,
            None => return Ok(None),
        }
    }
    Err(PdfError::limit("levels in the page tree", MAX_LEVELS as u64))
}

/// A rectangle of a dictionary as left, bottom, right, top.
pub(super) fn read_rectangle(
    document: &Document<'_>,
    dictionary: &Dictionary,
    key: &[u8],
) -> Result<Option<[f64; 4]>, PdfError> {
    document.value(dictionary, key)?.map(|value| rectangle(document, &value)).transpose()
}

/// Any two opposite corners (ISO 32000-2 §7.9.5).
fn rectangle(document: &Document<'_>, object: &Object) -> Result<[f64; 4], PdfError> {
    let wrong = || PdfError::damaged(0, "a rectangle has not four numbers");
    let items = object.as_array().ok_or_else(wrong)?;
    let numbers: Vec<f64> = items
        .iter()
        .map(|item| document.resolve(item)?.as_number().ok_or_else(wrong))
        .collect::<Result<_, _>>()?;
    let [a, b, c, d] = numbers[..] else { return Err(wrong()) };
    Ok([a.min(c), b.min(d), a.max(c), b.max(d)])
}

impl Page {
    /// Left, bottom, right and top in user space of a rectangle that a reader sees.
    pub(super) fn to_user_space(&self, seen: Rectangle) -> Result<[f64; 4], PadesError> {
        let Rectangle { left, bottom, width, height } = seen;
        let [x0, y0, x1, y1] = self.shown;
        let (page_width, page_height) = match self.rotation {
            90 | 270 => (y1 - y0, x1 - x0),
            _ => (x1 - x0, y1 - y0),
        };
        if ![left, bottom, width, height].iter().all(|number| number.is_finite()) {
            return Err(invalid("the rectangle is not made of numbers"));
        }
        if width < MIN_SIDE || height < MIN_SIDE {
            return Err(invalid("the rectangle is empty"));
        }
        let (right, top) = (left + width, bottom + height);
        if left < -TOLERANCE
            || bottom < -TOLERANCE
            || right > page_width + TOLERANCE
            || top > page_height + TOLERANCE
        {
            return Err(invalid(format!(
                "the rectangle reaches beyond the page, which has {page_width:.0} by {page_height:.0} points"
            )));
        }
        Ok(match self.rotation {
            90 => [x1 - top, y0 + left, x1 - bottom, y0 + right],
            180 => [x1 - right, y1 - top, x1 - left, y1 - bottom],
            270 => [x0 + bottom, y1 - right, x0 + top, y1 - left],
            _ => [x0 + left, y0 + bottom, x0 + right, y0 + top],
        })
    }
}
