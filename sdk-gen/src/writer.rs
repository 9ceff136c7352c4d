//! Lines of generated code, with their indentation.

/// A text that grows line by line.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    text: String,
    unit: &'static str,
    depth: usize,
}

impl Writer {
    /// An empty text whose blocks are indented by `unit`.
    pub(crate) const fn new(unit: &'static str) -> Self {
        Self { text: String::new(), unit, depth: 0 }
    }

    /// A line; an empty one has no indentation.
    pub(crate) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            for _ in 0..self.depth {
                self.text.push_str(self.unit);
            }
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A line, and what `inside` writes one level deeper.
    pub(crate) fn block(&mut self, first: &str, inside: impl FnOnce(&mut Self)) {
        self.line(first);
        self.depth += 1;
        inside(self);
        self.depth -= 1;
    }

    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}
