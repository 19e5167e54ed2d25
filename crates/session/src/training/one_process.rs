//! Replaces `data_parallel` in WebAssembly, which trains in one process.

use std::convert::Infallible;
use std::marker::PhantomData;

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::training::metrics::BatchMetrics;
use crate::training::passes::Passes;

/// There is none.
pub(crate) struct DataParallel<E: Engine>(Infallible, PhantomData<E>);

/// There is none.
pub(crate) struct StartedReduction<E: Engine>(Infallible, PhantomData<E>);

impl<E: Engine> StartedReduction<E> {
    pub(crate) fn finish(self, _: &E, _: bool) -> Result<Passes> {
        match self.0 {}
    }
}

impl<E: Engine> Clone for DataParallel<E> {
    fn clone(&self) -> Self {
        match self.0 {}
    }
}

impl<E: Engine> DataParallel<E> {
    pub(crate) fn part<'a>(&self, _: &'a [usize]) -> &'a [usize] {
        match self.0 {}
    }

    pub(crate) fn order(&self, _: &E, _: &[usize]) -> Result<Vec<usize>> {
        match self.0 {}
    }

    pub(crate) fn measure(&self, _: &mut Vec<BatchMetrics>, _: usize, _: bool) -> Result<()> {
        match self.0 {}
    }
}
