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
                self.slots.push(Slot { generation: 0, object: None });
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
            if self.slots[slot].object.take().is_some() {
                self.retire(slot);
            }
        }
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
