//! The table of objects and their handles.

use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_optim::fallible::reserve;
use stepwell_optim::{Code, Error, Result};

use crate::values::handle::{GENERATIONS, SESSION_BITS, SLOTS};
use crate::values::handle::{Handle, ObjectKind};

/// Objects by their handles. A slot is used again after its object was freed, under the next generation, and never
/// again once its generations are spent.
pub(crate) struct HandleTable<T> {
    session: u64,
    slots: Vec<Slot<T>>,
    vacant: Vec<usize>,
    live: usize,
}

struct Slot<T> {
    generation: u64,
    object: Option<(ObjectKind, T)>,
    /// The kind of an object that a job has.
    #[cfg(not(target_family = "wasm"))]
    lent: Option<ObjectKind>,
}

impl<T> Slot<T> {
    fn vacant() -> Self {
        Self {
            generation: 0,
            object: None,
            #[cfg(not(target_family = "wasm"))]
            lent: None,
        }
    }
}

impl<T> HandleTable<T> {
    /// A table with the next session number. The numbers of 1024 successive tables differ.
    pub(crate) fn new() -> Self {
        static SESSIONS: AtomicU64 = AtomicU64::new(0);
        Self::numbered(SESSIONS.fetch_add(1, Ordering::Relaxed))
    }

    /// A table whose handles carry that number.
    pub(crate) fn numbered(session: u64) -> Self {
        Self { session: session % (1 << SESSION_BITS), slots: Vec::new(), vacant: Vec::new(), live: 0 }
    }

    /// Reserves memory for one more object, and for the removal of all objects.
    pub(crate) fn reserve_one(&mut self) -> Result<()> {
        if self.vacant.is_empty() && self.slots.len() == self.slots.capacity() {
            let length = self.slots.len().saturating_mul(2).max(64);
            reserve(&mut self.vacant, length)?;
            reserve(&mut self.slots, length)?;
        }
        Ok(())
    }

    pub(crate) fn insert(&mut self, kind: ObjectKind, object: T) -> Result<Handle> {
        let slot = match self.vacant.pop() {
            Some(slot) => slot,
            None if (self.slots.len() as u64) < SLOTS => {
                self.reserve_one()?;
                self.slots.push(Slot::vacant());
                self.slots.len() - 1
            }
            None => return Err(Error::new(Code::Memory, format_args!("more than {SLOTS} live handles; free some"))),
        };
        self.slots[slot].object = Some((kind, object));
        self.live += 1;
        Ok(Handle::new(kind, self.session, self.slots[slot].generation, slot))
    }

    /// Every live object with its handle.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let (kind, object) = slot.object.as_ref()?;
            Some((Handle::new(*kind, self.session, slot.generation, index), object))
        })
    }

    fn slot_of(&self, handle: Handle) -> Result<usize> {
        let invalid = || Error::new(Code::HandleInvalid, "not a handle of this session");
        let kind = handle.kind().filter(|_| handle.session() == self.session).ok_or_else(invalid)?;
        let slot = self.slots.get(handle.slot()).ok_or_else(invalid)?;
        match &slot.object {
            Some((found, _)) if slot.generation == handle.generation() => {
                if *found == kind {
                    Ok(handle.slot())
                } else {
                    Err(invalid())
                }
            }
            _ if handle.generation() < slot.generation => {
                Err(Error::new(Code::HandleFreed, format_args!("this {kind} was freed")))
            }
            #[cfg(not(target_family = "wasm"))]
            _ if slot.lent == Some(kind) && slot.generation == handle.generation() => Err(Error::new(
                Code::Busy,
                format_args!(
                    "an asynchronous call that is not over uses this {kind}, or an object that shares tensors with it"
                ),
            )),
            _ => Err(invalid()),
        }
    }

    pub(crate) fn get(&self, handle: Handle) -> Result<&T> {
        let slot = self.slot_of(handle)?;
        self.slots[slot].object.as_ref().map(|(_, object)| object).ok_or_else(missing)
    }

    pub(crate) fn get_mut(&mut self, handle: Handle) -> Result<&mut T> {
        let slot = self.slot_of(handle)?;
        self.slots[slot].object.as_mut().map(|(_, object)| object).ok_or_else(missing)
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Result<T> {
        let slot = self.slot_of(handle)?;
        let (_, object) = self.slots[slot].object.take().ok_or_else(missing)?;
        self.retire(slot);
        Ok(object)
    }

    pub(crate) fn clear(&mut self) {
        for slot in 0..self.slots.len() {
            #[cfg(not(target_family = "wasm"))]
            if self.slots[slot].lent.take().is_some() {
                self.retire(slot);
            }
            if self.slots[slot].object.take().is_some() {
                self.retire(slot);
            }
        }
    }

    /// Takes an object out for a job, which has it under the same handle.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn lend(&mut self, handle: Handle) -> Result<(ObjectKind, T)> {
        let slot = self.slot_of(handle)?;
        let (kind, object) = self.slots[slot].object.take().ok_or_else(missing)?;
        self.slots[slot].lent = Some(kind);
        Ok((kind, object))
    }

    /// Puts an object back that a job had. Returns it instead if its handle was freed.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn take_back(&mut self, handle: Handle, kind: ObjectKind, object: T) -> Option<T> {
        if !self.is_lent(handle) {
            return Some(object);
        }
        let slot = &mut self.slots[handle.slot()];
        (slot.lent, slot.object) = (None, Some((kind, object)));
        None
    }

    /// Whether a job has the object of a handle.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn is_lent(&self, handle: Handle) -> bool {
        handle.session() == self.session
            && self.slots.get(handle.slot()).is_some_and(|slot| {
                slot.generation == handle.generation() && slot.lent.is_some() && slot.lent == handle.kind()
            })
    }

    /// Frees the handle of an object that a job has. False if no job has one of this handle.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn free_lent(&mut self, handle: Handle) -> bool {
        let is_lent = self.is_lent(handle);
        if is_lent {
            self.slots[handle.slot()].lent = None;
            self.retire(handle.slot());
        }
        is_lent
    }

    /// A table of a job, with objects under the handles that they have in the table of the session.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn of_job(session: u64, objects: Vec<(Handle, ObjectKind, T)>) -> Self {
        let mut table = Self::numbered(session);
        table.live = objects.len();
        let length = objects.iter().map(|(handle, ..)| handle.slot() + 1).max().unwrap_or(0);
        table.slots.resize_with(length, Slot::vacant);
        for (handle, kind, object) in objects {
            let slot = &mut table.slots[handle.slot()];
            (slot.generation, slot.object) = (handle.generation(), Some((kind, object)));
        }
        table
    }

    /// Every object with its handle and kind, by value.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn into_objects(self) -> impl Iterator<Item = (Handle, ObjectKind, T)> {
        let session = self.session;
        self.slots.into_iter().enumerate().filter_map(move |(index, slot)| {
            let (kind, object) = slot.object?;
            Some((Handle::new(kind, session, slot.generation, index), kind, object))
        })
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn session(&self) -> u64 {
        self.session
    }

    fn retire(&mut self, slot: usize) {
        self.live -= 1;
        self.slots[slot].generation += 1;
        if self.slots[slot].generation < GENERATIONS - 1 {
            self.vacant.push(slot);
        }
    }

    /// How many objects live.
    pub(crate) fn len(&self) -> usize {
        self.live
    }
}

fn missing() -> Error {
    Error::new(Code::Internal, "a slot lost its object")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_never_means_another_object() {
        let mut table = HandleTable::new();
        let first = table.insert(ObjectKind::Tensor, "a").unwrap();
        assert_eq!(table.remove(first).unwrap(), "a");
        let second = table.insert(ObjectKind::Module, "b").unwrap();
        assert_eq!(table.get(first).unwrap_err().code(), Code::HandleFreed);
        assert_eq!(table.get(second), Ok(&"b"));
        // Forged: another kind, another session, a generation to come, a slot that never was, no whole number.
        let forged = [(0, 1 << 50), (0, 1 << 40), (0, 1 << 21), (0, 1), (1, 0)];
        for (sub, flip) in forged {
            let number = (second.0 ^ flip) as f64 + 0.5 * f64::from(sub);
            assert_eq!(table.get(Handle::from_number(number)).unwrap_err().code(), Code::HandleInvalid);
        }
        for number in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(table.get(Handle::from_number(number)).unwrap_err().code(), Code::HandleInvalid);
        }
        assert_eq!(HandleTable::<&str>::new().get(second).unwrap_err().code(), Code::HandleInvalid);
    }

    #[test]
    fn a_slot_with_spent_generations_is_not_used_again() {
        let mut table = HandleTable::new();
        let first = table.insert(ObjectKind::Tensor, ()).unwrap();
        table.remove(first).unwrap();
        for _ in 0..GENERATIONS {
            let handle = table.insert(ObjectKind::Tensor, ()).unwrap();
            table.remove(handle).unwrap();
        }
        assert_eq!(table.slots.len(), 2);
        assert_eq!(table.get(first).unwrap_err().code(), Code::HandleFreed);
    }
}
