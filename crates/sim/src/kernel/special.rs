//! Special functions, from `libm` alone: their last bit is the same on every platform.

/// Where a series or a continued fraction is as exact as it gets.
const EXACT: f64 = 1e-16;

/// So many terms are enough for every parameter that makes sense; beyond that the value is what it is.
const TERMS_MAX: u32 = 100_000;

/// The probability that a standard normal value is at most `z`.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

/// The density of the standard normal distribution.
pub(crate) fn normal_density(z: f64) -> f64 {
    libm::exp(-z * z / 2.0) / libm::sqrt(std::f64::consts::TAU)
}

/// The standard normal value that is not exceeded with probability `p`.
///
/// A rational guess (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23), made exact by
/// Halley's method.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return match p {
            0.0 => f64::NEG_INFINITY,
            1.0 => f64::INFINITY,
            _ => f64::NAN,
        };
    }
    // The lower tail keeps its digits, the upper one does not.
    let tail = p.min(1.0 - p);
    let t = libm::sqrt(-2.0 * libm::log(tail));
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut z = above / below - t;
    for _ in 0..4 {
        let step = (normal_cdf(z) - tail) / normal_density(z);
        if !step.is_finite() {
            break;
        }
        z -= step / (1.0 + z * step / 2.0);
    }
    if p <= 0.5 { z } else { -z }
}

/// The regularised lower incomplete gamma function P(a, x): the probability that a gamma value of shape `a`
/// and scale 1 is at most `x`. A series below the mean, a continued fraction above it (Abramowitz and Stegun,
/// 6.5.29 and 6.5.31, the fraction by the method of Lentz).
pub(crate) fn gamma_cdf(a: f64, x: f64) -> f64 {
    if a.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if x == f64::INFINITY {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x >= a + 1.0 {
        return (1.0 - front * gamma_fraction(a, x)).clamp(0.0, 1.0);
    }
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for n in 1..TERMS_MAX {
        term *= x / (a + f64::from(n));
        sum += term;
        if term < sum * EXACT {
            break;
        }
    }
    (front * sum).clamp(0.0, 1.0)
}

/// The logarithm of the probability that a gamma value of shape `a` and scale 1 is above `x`, which may be too
/// small for a number.
pub(crate) fn log_gamma_survival(a: f64, x: f64) -> f64 {
    if x.is_finite() && x >= a + 1.0 {
        return a * libm::log(x) - x - libm::lgamma(a) + libm::log(gamma_fraction(a, x));
    }
    libm::log1p(-gamma_cdf(a, x))
}

/// The derivative of the logarithm of the gamma function, above 0 (Abramowitz and Stegun, 6.3.5 and 6.3.18).
pub(crate) fn digamma(x: f64) -> f64 {
    let (mut x, mut value) = (x, 0.0);
    while x < 10.0 {
        value -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
        1.0 / 12.0,
    ];
    let tail = series
        .iter()
        .rev()
        .fold(0.0, |sum, term| (sum + term) * square);
    value + libm::log(x) - 0.5 / x - tail
}

/// The derivative of [`digamma`], above 0 (Abramowitz and Stegun, 6.4.6 and 6.4.12).
pub(crate) fn trigamma(x: f64) -> f64 {
    let (mut x, mut value) = (x, 0.0);
    while x < 10.0 {
        value += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = [
        1.0 / 6.0,
        -1.0 / 30.0,
        1.0 / 42.0,
        -1.0 / 30.0,
        5.0 / 66.0,
        -691.0 / 2_730.0,
        7.0 / 6.0,
    ];
    let tail = series
        .iter()
        .rev()
        .fold(0.0, |sum, term| (sum + term) * square);
    value + 1.0 / x + square / 2.0 + tail / x
}

fn gamma_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut value = d;
    for n in 1..TERMS_MAX {
        let n = f64::from(n);
        let top = -n * (n - a);
        b += 2.0;
        d = 1.0 / away_from_zero(top * d + b);
        c = away_from_zero(b + top / c);
        value *= d * c;
        if (d * c - 1.0).abs() < 4.0 * EXACT {
            break;
        }
    }
    value
}

fn away_from_zero(value: f64) -> f64 {
    if value.abs() < f64::MIN_POSITIVE {
        f64::MIN_POSITIVE
    } else {
        value
    }
}

/// The regularised incomplete beta function I(a, b; x): the probability that a beta value is at most `x`
/// (Abramowitz and Stegun, 26.5.8, by the method of Lentz).
pub(crate) fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if a.is_nan() || b.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let scale = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = libm::exp(scale + a * libm::log(x) + b * libm::log1p(-x));
    // The fraction converges quickly on the side of the mean that is nearer to its end.
    let value = if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    };
    value.clamp(0.0, 1.0)
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..TERMS_MAX {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        value *= d * c;
        if (d * c - 1.0).abs() < 4.0 * EXACT {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::{beta::beta_reg, gamma::gamma_lr};

    fn near(a: f64, b: f64, by: f64) -> bool {
        (a - b).abs() <= by * b.abs().max(1e-3)
    }

    #[test]
    fn values_are_those_of_the_tables() {
        assert!(near(normal_cdf(1.959_963_984_540_054), 0.975, 1e-14));
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!(near(normal_quantile(p), z, 1e-12), "{p}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert!(normal_quantile(1.5).is_nan());
    }

    #[test]
    fn derivatives_of_the_gamma_function_are_those_of_the_tables() {
        // Minus Euler's constant, and pi squared over 6.
        assert!(near(digamma(1.0), -0.577_215_664_901_532_9, 1e-14));
        assert!(near(digamma(0.5), -1.963_510_026_021_423_5, 1e-14));
        assert!(near(trigamma(1.0), 1.644_934_066_848_226_4, 1e-14));
        assert!(near(digamma(123.4), 4.811_373_775_116_278, 1e-13));
        let slope = (digamma(3.7 + 1e-5) - digamma(3.7 - 1e-5)) / 2e-5;
        assert!(near(trigamma(3.7), slope, 1e-9));
        assert!(near(
            log_gamma_survival(2.0, 3.0),
            libm::log(4.0) - 3.0,
            1e-14
        ));
        assert!(near(log_gamma_survival(1.0, 5_000.0), -5_000.0, 1e-14));
        assert!(near(
            log_gamma_survival(2.0, 0.5),
            libm::log(1.5) - 0.5,
            1e-14
        ));
    }

    #[test]
    fn incomplete_functions_agree_with_another_library() {
        for a in [0.1, 0.9, 1.0, 2.5, 30.0, 400.0] {
            for part in [0.01, 0.5, 0.9, 1.0, 1.1, 1.5, 4.0] {
                let x = a * part;
                assert!(near(gamma_cdf(a, x), gamma_lr(a, x), 1e-10), "{a} {x}");
            }
            for b in [0.3, 1.0, 7.0, 120.0] {
                for x in [0.001, 0.1, 0.5, 0.77, 0.999] {
                    let (own, other) = (beta_cdf(a, b, x), beta_reg(a, b, x));
                    assert!(near(own, other, 1e-10), "{a} {b} {x}: {own} {other}");
                }
            }
        }
    }
}
