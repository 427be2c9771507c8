//! How the drawings of a study begin, and the axis that several of them share.

use crate::plain::markup;
use std::fmt::Write;

/// How many parts an axis has.
const TICKS: u32 = 6;

/// A document with a title, up to what is drawn in it.
pub(super) fn open(title: &str, width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">{title}</title>\n\
         <style>:root{{--ink:#1c2330;--paper:#fff;--line:#c3cad6}}@media(prefers-color-scheme:dark){{:root\
         {{--ink:#e6e9ef;--paper:#14181f;--line:#39424f}}}}text{{font:12px system-ui,sans-serif;fill:var(--ink)}}\
         </style>\n<rect width=\"{width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\">{title}</text>\n",
        title = markup(title),
    )
}

/// A scale that holds zero and all ends, from a place on the paper to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Scale {
    pub(super) fn over(ends: impl IntoIterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let ends: Vec<f64> = ends.into_iter().filter(|end| end.is_finite()).collect();
        let least = ends.iter().copied().fold(0.0, f64::min);
        let most = ends.iter().copied().fold(0.0, f64::max);
        // Where all is nothing, nothing stands in the middle.
        let (least, most) = if least < most {
            (least, most)
        } else {
            (-1.0, 1.0)
        };
        Self {
            least,
            most,
            from,
            to,
        }
    }

    /// Where a value stands.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.least) / (self.most - self.least);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Lines with their values, the one of zero drawn stronger.
    pub(super) fn axis(&self, out: &mut String, (top, bottom): (f64, f64)) {
        for tick in 0..=TICKS {
            let value = self.least + (self.most - self.least) * f64::from(tick) / f64::from(TICKS);
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"var(--line)\"/>\
                 <text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{value:+.1}</text>",
                x = self.at(value),
                y = bottom + 16.0,
            );
        }
        let zero = self.at(0.0);
        let _ = writeln!(
            out,
            "<path d=\"M{zero:.1} {top}V{bottom}\" stroke=\"var(--ink)\" stroke-width=\"1.5\"/>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_zero_and_all_ends() {
        let scale = Scale::over([10.0, 40.0, f64::INFINITY], (100.0, 500.0));
        assert_eq!(
            [0.0, 10.0, 40.0, 99.0].map(|value| scale.at(value)),
            [100.0, 200.0, 500.0, 500.0]
        );
        let below = Scale::over([-3.0, 1.0], (0.0, 4.0));
        assert_eq!(
            [-3.0, 0.0, 1.0].map(|value| below.at(value)),
            [0.0, 3.0, 4.0]
        );
        assert_eq!(Scale::over([0.0], (0.0, 4.0)).at(0.0), 2.0);
    }
}
