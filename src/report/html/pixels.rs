//! Plots as PNG, drawn from their SVG with the fonts of the system.

use std::sync::{Arc, OnceLock};

use resvg::{tiny_skia, usvg};

use super::canvas::{Plot, PlotError};

/// Pixels of the picture for one of the drawing, so that it is sharp in print.
const SCALE: f32 = 2.0;

/// Fonts that are looked for first, in this order.
const FONTS: [&str; 6] = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica", "Segoe UI"];

impl Plot {
    /// The plot as a PNG file for a white page, at twice the size of the drawing.
    ///
    /// # Errors
    /// No font on this system, and a drawing that cannot be read.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        let failed = |message: String| PlotError { name: self.name.clone(), message };
        let fonts = fonts();
        if fonts.is_empty() {
            return Err(failed("a PNG needs a font, and this system has none".to_string()));
        }
        let options = usvg::Options { fontdb: Arc::clone(fonts), ..usvg::Options::default() };
        let tree = usvg::Tree::from_str(&self.file(), &options).map_err(|error| failed(error.to_string()))?;
        let size = tree.size();
        let (width, height) = ((size.width() * SCALE) as u32, (size.height() * SCALE) as u32);
        let mut page = tiny_skia::Pixmap::new(width, height)
            .ok_or_else(|| failed(format!("{width} × {height} pixels are no picture")))?;
        page.fill(tiny_skia::Color::WHITE);
        resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut page.as_mut());
        page.encode_png().map_err(|error| failed(error.to_string()))
    }
}

/// The fonts of the system, read once, with one of them for `sans-serif`.
fn fonts() -> &'static Arc<usvg::fontdb::Database> {
    static FOUND: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_system_fonts();
        let families: Vec<String> =
            fonts.faces().flat_map(|face| &face.families).map(|(name, _)| name.clone()).collect();
        let known = FONTS.iter().find(|name| families.iter().any(|family| family == *name));
        if let Some(family) = known.map(ToString::to_string).or_else(|| families.first().cloned()) {
            fonts.set_sans_serif_family(family);
        }
        Arc::new(fonts)
    })
}
