//! A dense array of float64 numbers, row-major.

/// Numbers and their shape; a scalar has no axes and one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The sizes of the axes.
    pub shape: Vec<usize>,
    /// As many numbers as the product of the sizes.
    pub data: Vec<f64>,
}

impl Default for Tensor {
    fn default() -> Self {
        Self::scalar(0.0)
    }
}

impl Tensor {
    /// `data` must have as many numbers as `shape` says.
    pub fn new(shape: impl Into<Vec<usize>>, data: impl Into<Vec<f64>>) -> Self {
        Self { shape: shape.into(), data: data.into() }
    }

    /// All zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        let data = vec![0.0; shape.iter().product()];
        Self { shape, data }
    }

    /// One number without axes.
    pub fn scalar(value: f64) -> Self {
        Self::new([], [value])
    }

    /// One number for each entry of `values`.
    pub(crate) fn integers(shape: impl Into<Vec<usize>>, values: impl IntoIterator<Item = i64>) -> Self {
        Self::new(shape, values.into_iter().map(|value| value as f64).collect::<Vec<_>>())
    }

    /// The entry as an index; none where it is negative.
    pub(crate) fn index(&self, at: usize) -> Option<usize> {
        let value = self.data[at];
        (value >= 0.0).then_some(value as usize)
    }

    /// The number of elements of one entry of the first axis.
    pub(crate) fn row_elements(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The elements of one entry of the first axis.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        let width = self.row_elements();
        &self.data[row * width..][..width]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        let width = self.row_elements();
        &mut self.data[row * width..][..width]
    }
}
