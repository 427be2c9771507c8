//! Small searches for a maximum.

/// So many steps are enough in two dimensions.
const STEPS_MAX: usize = 4_000;

/// The point at which a function is least, by the simplex method of Nelder and Mead (1965, The Computer
/// Journal 7), begun again where it stopped, because a simplex may collapse on its way. What is no number is
/// never the least. Absent where no start has a number.
pub(super) fn least<const N: usize>(
    start: [f64; N],
    steps: [f64; N],
    f: impl Fn([f64; N]) -> f64,
) -> Option<[f64; N]> {
    let of = |at: [f64; N]| {
        let value = f(at);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let (first, _) = descend(start, steps, &of)?;
    let (second, value) = descend(first, steps.map(|step| step / 10.0), &of)?;
    (value.is_finite() && second.iter().all(|x| x.is_finite())).then_some(second)
}

type Corner<const N: usize> = ([f64; N], f64);

fn descend<const N: usize>(
    start: [f64; N],
    steps: [f64; N],
    of: &impl Fn([f64; N]) -> f64,
) -> Option<Corner<N>> {
    let mut corners: Vec<Corner<N>> = vec![(start, of(start))];
    for (axis, step) in steps.into_iter().enumerate() {
        let mut at = start;
        at[axis] += step;
        corners.push((at, of(at)));
    }
    for _ in 0..STEPS_MAX {
        corners.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (best, worst) = (*corners.first()?, *corners.last()?);
        let width = (0..N).map(|i| ((worst.0[i] - best.0[i]) / steps[i]).abs());
        if width.fold(0.0, f64::max) < 1e-9 {
            break;
        }
        let second = corners.get(N.checked_sub(1)?)?.1;
        let middle: [f64; N] = std::array::from_fn(|i| {
            corners.iter().take(N).map(|(at, _)| at[i]).sum::<f64>() / N as f64
        });
        let along = |by: f64| {
            let at: [f64; N] = std::array::from_fn(|i| middle[i] + by * (worst.0[i] - middle[i]));
            (at, of(at))
        };
        let reflected = along(-1.0);
        let next = if reflected.1 < best.1 {
            let expanded = along(-2.0);
            if expanded.1 < reflected.1 {
                expanded
            } else {
                reflected
            }
        } else if reflected.1 < second {
            reflected
        } else {
            let inside = along(if reflected.1 < worst.1 { -0.5 } else { 0.5 });
            if inside.1 >= worst.1.min(reflected.1) {
                shrink(&mut corners, best.0, of);
                continue;
            }
            inside
        };
        *corners.last_mut()? = next;
    }
    corners.sort_by(|a, b| a.1.total_cmp(&b.1));
    corners.first().copied()
}

fn shrink<const N: usize>(
    corners: &mut [Corner<N>],
    best: [f64; N],
    of: &impl Fn([f64; N]) -> f64,
) {
    for corner in corners.iter_mut().skip(1) {
        let at: [f64; N] = std::array::from_fn(|i| (corner.0[i] + best[i]) / 2.0);
        *corner = (at, of(at));
    }
}

/// Where an ascending function passes 0 above 0: Newton's method, held between ends that are known to lie on
/// both sides. `f` gives the value and the slope. Absent where it never passes.
pub(super) fn root(start: f64, f: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    let (mut low, mut high) = (start, start);
    let mut turns = 0..1_000;
    while f(low).0 > 0.0 {
        turns.next()?;
        low /= 2.0;
    }
    while f(high).0 < 0.0 {
        turns.next()?;
        high *= 2.0;
    }
    let mut at = f64::midpoint(low, high);
    for _ in 0..200 {
        let (value, slope) = f(at);
        if value.is_nan() {
            return None;
        }
        match value < 0.0 {
            true => low = at,
            false => high = at,
        }
        let mut next = at - value / slope;
        if !(next > low && next < high) {
            next = f64::midpoint(low, high);
        }
        if (next - at).abs() <= 1e-15 * at {
            return Some(next);
        }
        at = next;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        // Rosenbrock's function, which is 0 at (1, 1).
        let bent = |[x, y]: [f64; 2]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let [x, y] = least([-1.2, 1.0], [0.5, 0.5], bent).unwrap();
        assert!((x - 1.0).abs() < 1e-7 && (y - 1.0).abs() < 1e-7, "{x} {y}");
        let [x] = least([9.0], [0.5], |[x]: [f64; 1]| (x - 2.0).powi(2)).unwrap();
        assert!((x - 2.0).abs() < 1e-7, "{x}");
        assert_eq!(least([1.0], [0.5], |_: [f64; 1]| f64::NAN), None);
    }

    #[test]
    fn a_root_is_found_from_far_away() {
        let cube = |x: f64| (x * x * x - 27.0, 3.0 * x * x);
        assert!((root(1e6, cube).unwrap() - 3.0).abs() < 1e-14);
        assert!((root(1e-6, cube).unwrap() - 3.0).abs() < 1e-14);
        assert_eq!(root(1.0, |_| (-1.0, 0.0)), None);
    }
}
