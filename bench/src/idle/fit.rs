//! A straight line through measured points.

/// Its slope by least squares; `None` for fewer than two different abscissae.
pub(super) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    (spread > 0.0).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn slopes() {
        let exact = slope(&[
            (2000.0, 116_000.0),
            (5000.0, 140_000.0),
            (10_000.0, 180_000.0),
        ])
        .unwrap();
        assert!((exact - 8.0).abs() < 1e-9);
        assert_eq!(slope(&[(1.0, 1.0)]), None);
        assert_eq!(slope(&[]), None);
    }
}
