//! Small PDFs for tests, written by other code than the product's writer.

use std::collections::BTreeMap;

/// Objects of a small document: 1 catalogue, 2 page tree, 3 page, 4 its content.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    objects: BTreeMap<u32, String>,
    trailer: String,
    header: &'static str,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let text = "BT /F1 12 Tf 72 720 Td (Contrato TEST: valor 100) Tj ET";
        let objects = [
            (1, "<< /Type /Catalog /Pages 2 0 R >>".to_owned()),
            (2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>".to_owned()),
            (
                3,
                "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 << /Type /Font \
                 /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
                    .to_owned(),
            ),
            (4, format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len())),
        ];
        let trailer =
            "/Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]";
        Self { objects: objects.into(), trailer: trailer.to_owned(), header: "%PDF-1.7\n%\u{e2}\u{e3}\n" }
    }

    /// Adds or replaces an object.
    pub(crate) fn with(mut self, number: u32, body: &str) -> Self {
        self.objects.insert(number, body.to_owned());
        self
    }

    /// Adds entries to the trailer.
    pub(crate) fn trailer(mut self, entries: &str) -> Self {
        self.trailer = format!("{} {entries}", self.trailer);
        self
    }

    pub(crate) const fn header(mut self, header: &'static str) -> Self {
        self.header = header;
        self
    }

    fn size(&self) -> u32 {
        self.objects.keys().max().unwrap() + 1
    }

    /// The file with a cross-reference table.
    pub(crate) fn table(&self) -> Vec<u8> {
        let mut file = self.header.as_bytes().to_vec();
        let mut rows = vec![format!("{:010} 65535 f \n", 0)];
        for number in 1..self.size() {
            let Some(body) = self.objects.get(&number) else {
                rows.push(format!("{:010} 00001 f \n", 0));
                continue;
            };
            rows.push(format!("{:010} 00000 n \n", file.len()));
            file.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
        }
        let at = file.len();
        let (size, rows, trailer) = (self.size(), rows.concat(), &self.trailer);
        file.extend(
            format!("xref\n0 {size}\n{rows}trailer\n<< /Size {size} {trailer} >>\nstartxref\n{at}\n%%EOF\n")
                .bytes(),
        );
        file
    }

    /// The file with a cross-reference stream; the objects `packed` go into an object stream.
    pub(crate) fn stream(&self, packed: &[u32]) -> Vec<u8> {
        let (container, own) = (self.size(), self.size() + 1);
        let mut file = self.header.as_bytes().to_vec();
        let mut rows: Vec<[u8; 6]> = vec![[0; 6]; own as usize + 1];
        let row = |kind: u8, second: usize, third: u8| {
            let s = u32::try_from(second).unwrap().to_be_bytes();
            [kind, s[0], s[1], s[2], s[3], third]
        };
        for (number, body) in self.objects.iter().filter(|(number, _)| !packed.contains(number)) {
            rows[*number as usize] = row(1, file.len(), 0);
            file.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
        }
        let (mut index, mut bodies) = (String::new(), String::new());
        for (i, number) in packed.iter().enumerate() {
            rows[*number as usize] = row(2, container as usize, u8::try_from(i).unwrap());
            index += &format!("{number} {} ", bodies.len());
            bodies += &format!("{} ", self.objects[number]);
        }
        rows[container as usize] = row(1, file.len(), 0);
        let (first, count) = (index.len(), packed.len());
        let data = miniz_oxide::deflate::compress_to_vec_zlib((index + &bodies).as_bytes(), 6);
        let head = format!("/Type /ObjStm /N {count} /First {first} /Filter /FlateDecode");
        write_stream(&mut file, container, &head, &data);
        let at = file.len();
        rows[own as usize] = row(1, at, 0);
        // Each row is written as its difference from the row above: PNG filter 2, as every producer does.
        let above = core::iter::once([0; 6]).chain(rows.iter().copied());
        let up = |(row, above): (&[u8; 6], [u8; 6])| {
            let difference: Vec<u8> = row.iter().zip(above).map(|(byte, up)| byte.wrapping_sub(up)).collect();
            [&[2], difference.as_slice()].concat()
        };
        let predicted: Vec<u8> = rows.iter().zip(above).flat_map(up).collect();
        let data = miniz_oxide::deflate::compress_to_vec_zlib(&predicted, 6);
        let head = format!(
            "/Type /XRef /Size {} {} /W [1 4 1] /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 6 >>",
            own + 1,
            self.trailer
        );
        write_stream(&mut file, own, &head, &data);
        file.extend(format!("startxref\n{at}\n%%EOF\n").bytes());
        file
    }
}

fn write_stream(file: &mut Vec<u8>, number: u32, head: &str, data: &[u8]) {
    file.extend(format!("{number} 0 obj\n<< {head} /Length {} >>\nstream\n", data.len()).bytes());
    file.extend_from_slice(data);
    file.extend_from_slice(b"\nendstream\nendobj\n");
}

/// Appends a revision with a table, as an attacker or a form filler would.
pub(crate) fn append(file: &[u8], objects: &[(u32, &str)], trailer: &str) -> Vec<u8> {
    let previous = last_startxref(file);
    let mut file = file.to_vec();
    let mut rows = String::new();
    for (number, body) in objects {
        rows += &format!("{number} 1\n{:010} 00000 n \n", file.len());
        file.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    }
    let at = file.len();
    let trailer =
        format!("<< /Root 1 0 R /ID [<00112233445566778899aabbccddeeff> ()] /Prev {previous} {trailer} >>");
    file.extend(format!("xref\n{rows}trailer\n{trailer}\nstartxref\n{at}\n%%EOF\n").bytes());
    file
}

/// The number behind the last `startxref`.
pub(crate) fn last_startxref(file: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&file[file.len().saturating_sub(200)..]).into_owned();
    text.rsplit("startxref").next().unwrap().split_ascii_whitespace().next().unwrap().parse().unwrap()
}

/// The bytes with the first `from` replaced by `to`.
pub(crate) fn replaced(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = find(file, from.as_bytes()).unwrap_or_else(|| panic!("{from} is not in the file"));
    [&file[..at], to.as_bytes(), &file[at + from.len()..]].concat()
}

/// Where `needle` first stands.
pub(crate) fn find(file: &[u8], needle: &[u8]) -> Option<usize> {
    file.windows(needle.len()).position(|window| window == needle)
}
