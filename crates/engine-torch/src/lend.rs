//! The memory of parameters and gradients as slices.

use std::cell::Cell;
use std::ffi::c_void;
use std::{mem, slice};

use stepwell_optim::{Code, Error, Result, View};

use crate::error::torch;
use crate::shim::{self, CONTIGUOUS, CPU, DENSE, DOUBLE, FITS, FLOAT, Handle, Slot};
use crate::tensor::Tensor;

/// Lends what can be lent: dense, on the CPU, gradient like parameter, and no memory twice. `busy` is set meanwhile.
pub(crate) fn lend(
    busy: &Cell<bool>,
    parameters: &[Tensor],
    step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
) -> Result<()> {
    let handles: Vec<Handle<'_>> = parameters.iter().map(Tensor::handle).collect();
    let mut slots = shim::slots(&handles)?;
    // Contiguous copies of gradients that are not; they live until the step is over.
    let mut copies = Vec::new();
    for (index, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| slot.has_grad != 0) {
        check(index, slot)?;
        if slot.grad_layout & CONTIGUOUS == 0
            && let Some(gradient) = shim::grad(handles[index])?
        {
            let copy = gradient.f_contiguous().map_err(torch)?;
            slot.grad = shim::data(Handle::from(&copy))?;
            slot.grad_storage = slot.grad;
            copies.push(copy);
        }
    }
    if shares_storage(&slots) {
        refuse_overlap(&slots)?;
    }
    let mut views: Vec<Option<View<'_>>> = slots.iter().map(view).collect();
    let mut loan = Loan { busy, written: handles };
    let mut slot = slots.iter();
    loan.written.retain(|_| slot.next().is_some_and(|slot| slot.has_grad != 0));
    busy.set(true);
    let result = step(&mut views);
    result.and(loan.end())
}

/// Fails while memory is lent.
pub(crate) fn not_busy(busy: &Cell<bool>) -> Result<()> {
    match busy.get() {
        false => Ok(()),
        true => Err(Error::new(Code::Internal, "a tensor was written to while its memory was lent to a step")),
    }
}

/// Ends however the step ends: autograd learns what may have been written to.
struct Loan<'a> {
    busy: &'a Cell<bool>,
    written: Vec<Handle<'a>>,
}

impl Loan<'_> {
    fn end(&mut self) -> Result<()> {
        self.busy.set(false);
        shim::bump(&mem::take(&mut self.written))
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        // After an end there is nothing left; after a panic in the step there is nobody to tell.
        let _ = self.end();
    }
}

fn check(index: usize, slot: &Slot) -> Result<()> {
    const READABLE: u8 = CPU | DENSE;
    const PARAMETER: u8 = READABLE | CONTIGUOUS;
    const GRADIENT: u8 = READABLE | FITS;
    if slot.layout & PARAMETER == PARAMETER
        && slot.grad_layout & GRADIENT == GRADIENT
        && dtype_fault(slot).is_none()
        && slot.grad_dtype == slot.dtype
    {
        return Ok(());
    }
    let (code, what) = if slot.layout & CPU == 0 {
        (Code::Device, "it is not on the CPU")
    } else if let Some(what) = dtype_fault(slot) {
        (Code::Dtype, what)
    } else if slot.layout & PARAMETER != PARAMETER {
        (Code::Parameter, "its memory is not contiguous")
    } else {
        (Code::Gradient, gradient_fault(slot, CPU).unwrap_or("its gradient does not fit"))
    };
    Err(Error::new(code, format!("parameter {index} cannot be updated: {what}")))
}

/// Why a step cannot update a parameter of this dtype; `None` if it can.
pub(crate) fn dtype_fault(slot: &Slot) -> Option<&'static str> {
    match slot.dtype {
        FLOAT | DOUBLE => None,
        _ => Some("its dtype is neither float nor double"),
    }
}

/// Why the gradient cannot update its parameter, which is on the CPU or elsewhere; `None` if it can.
pub(crate) fn gradient_fault(slot: &Slot, cpu: u8) -> Option<&'static str> {
    if slot.grad_layout & DENSE == 0 {
        Some("its gradient is sparse")
    } else if slot.grad_layout & CPU != cpu {
        Some("its gradient is on another device")
    } else if slot.grad_layout & FITS == 0 {
        Some("its gradient has another shape")
    } else if slot.grad_dtype != slot.dtype {
        Some("its gradient has another dtype")
    } else {
        None
    }
}

/// True if a storage belongs to two parameters, or to a parameter and a gradient. Two gradients may share one.
fn shares_storage(slots: &[Slot]) -> bool {
    // An open hash table at most a quarter full; no storage has the address 0.
    let bits = (4 * slots.len()).next_power_of_two().trailing_zeros().max(1);
    let mut table = vec![0u64; 1 << bits];
    let place = |table: &[u64], key: u64| {
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize;
        while table[at] != 0 && table[at] != key {
            at = (at + 1) % table.len();
        }
        at
    };
    let lent = || slots.iter().filter(|slot| slot.has_grad != 0);
    for slot in lent() {
        let key = slot.storage as u64;
        let at = place(&table, key);
        if table[at] == key {
            return true;
        }
        table[at] = key;
    }
    lent().any(|slot| table[place(&table, slot.grad_storage as u64)] != 0)
}

/// Fails where memory that would be written to is lent twice.
fn refuse_overlap(slots: &[Slot]) -> Result<()> {
    struct Range {
        start: usize,
        end: usize,
        index: usize,
        written: bool,
    }
    let mut ranges = Vec::with_capacity(2 * slots.len());
    for (index, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.has_grad != 0 && slot.len() > 0) {
        let bytes = slot.len() * if slot.dtype == FLOAT { 4 } else { 8 };
        let mut push = |start: usize, written| ranges.push(Range { start, end: start + bytes, index, written });
        push(slot.data as usize, true);
        push(slot.grad as usize, false);
    }
    ranges.sort_unstable_by_key(|range| range.start);
    // Of the ranges so far, the one that reaches farthest, and the one of those written to.
    let mut any: Option<&Range> = None;
    let mut written: Option<&Range> = None;
    for range in &ranges {
        let before = if range.written { any } else { written };
        if let Some(other) = before.filter(|other| range.start < other.end) {
            let name =
                |range: &Range| format!("{} {}", if range.written { "parameter" } else { "gradient" }, range.index);
            let code = if range.written && other.written { Code::Parameter } else { Code::Gradient };
            return Err(Error::new(code, format!("{} shares memory with {}", name(other), name(range))));
        }
        let farther = |old: Option<&Range>| old.is_none_or(|old| old.end < range.end);
        if farther(any) {
            any = Some(range);
        }
        if range.written && farther(written) {
            written = Some(range);
        }
    }
    Ok(())
}

/// The slices behind a slot that was checked.
fn view<'a>(slot: &Slot) -> Option<View<'a>> {
    /// # Safety
    /// The addresses are of `len` elements each that live for `'a`, the first written through nothing else.
    unsafe fn pair<'a, T>(data: *mut c_void, grad: *const c_void, len: usize) -> (&'a mut [T], &'a [T]) {
        if len == 0 {
            // libtorch's address of nothing is null, which a slice may not have.
            return (&mut [], &[]);
        }
        // SAFETY: as the caller promises; libtorch aligns elements to their size.
        unsafe { (slice::from_raw_parts_mut(data.cast(), len), slice::from_raw_parts(grad.cast(), len)) }
    }
    if slot.has_grad == 0 {
        return None;
    }
    let (data, grad, len) = (slot.data, slot.grad, slot.len());
    // SAFETY: parameter and gradient are dense, on the CPU and of this dtype and length, and overlap no parameter. The
    // borrowed handles keep the parameters, and they their gradients, which the engine lets nobody replace while busy.
    Some(unsafe {
        if slot.dtype == FLOAT {
            let (data, grad) = pair(data, grad, len);
            View::Float(data, grad)
        } else {
            let (data, grad) = pair(data, grad, len);
            View::Double(data, grad)
        }
    })
}
