//! Tensors whose parts belong to processes of a group, and whose elements all get. They are sent in rounds, each with a row of elements of every
//! owner, so that no process waits for the others.

use stepwell_distributed::{Operation, ProcessGroup};
use stepwell_optim::{Code, Error, Part, Result};
use tch::Kind;

use crate::error::from_tch;
use crate::shim::{self, TensorRef};
use crate::tensor::{Tensor, kind};

/// In bytes, 25 MiB: the rows of a round together.
const ROUND_BYTES: usize = 25 << 20;

/// Consecutive elements of a tensor.
struct Piece {
    tensor: usize,
    start: i64,
    length: i64,
}

/// The pieces of one round, a list for each owner.
type Round = Vec<Vec<Piece>>;

/// Tensors of one dtype on one device as rows of elements, and their owners.
struct Owned<'a> {
    tensors: Vec<&'a Tensor>,
    /// The elements of the tensors, or of copies of those whose elements are not in row-major order.
    flat: Vec<tch::Tensor>,
    parts: Vec<&'a [Part]>,
    kind: Kind,
    device: tch::Device,
    rounds: Vec<Round>,
}

/// Replaces the elements of each part of a tensor by the elements of its owner.
pub(crate) fn copy_from_owners(group: &ProcessGroup, tensors: &[Tensor], parts: &[&[Part]]) -> Result<()> {
    for owned in Owned::of_each_place(group, tensors, parts)? {
        for round in &owned.rounds {
            let own = owned.zeros(&[longest(round)])?;
            owned.fill(&own, &round[group.rank()])?;
            let rows = owned.zeros(&[round.len() as i64, longest(round)])?;
            group.agree(Operation::AllGather, &[&own])?.all_gather(&rows, &own)?.wait()?;
            for (owner, pieces) in round.iter().enumerate().filter(|(owner, _)| *owner != group.rank()) {
                owned.take(pieces, &rows.f_select(0, owner as i64).map_err(from_tch)?)?;
            }
        }
        owned.write(|owner| owner != group.rank())?;
    }
    Ok(())
}

impl<'a> Owned<'a> {
    /// The tensors of each dtype and device, in the order of the first ones.
    fn of_each_place(group: &ProcessGroup, tensors: &'a [Tensor], parts: &[&'a [Part]]) -> Result<Vec<Self>> {
        if tensors.len() != parts.len() || parts.iter().any(|parts| parts.iter().any(|part| part.owner >= group.size()))
        {
            return Err(Error::new(Code::Internal, "expected ranks of the group for each tensor"));
        }
        let mut all: Vec<Self> = Vec::new();
        for (tensor, parts) in tensors.iter().zip(parts) {
            let kind = kind(tensor.dtype()?);
            let flat = tensor.as_ref().f_detach().and_then(|dense| dense.f_contiguous());
            let flat = flat.and_then(|dense| dense.f_view([-1])).map_err(from_tch)?;
            let device = flat.device();
            let position = all.iter().position(|owned| (owned.kind, owned.device) == (kind, device));
            let position = position.unwrap_or(all.len());
            if position == all.len() {
                let (tensors, flat, parts, rounds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                all.push(Self { tensors, flat, parts, kind, device, rounds });
            }
            let owned = &mut all[position];
            owned.tensors.push(tensor);
            owned.flat.push(flat);
            owned.parts.push(parts);
        }
        for owned in &mut all {
            let share = (ROUND_BYTES / (group.size() * owned.kind.elt_size_in_bytes())).max(1);
            owned.rounds = rounds(&owned.parts, group.size(), share as i64);
        }
        Ok(all)
    }

    fn zeros(&self, sizes: &[i64]) -> Result<tch::Tensor> {
        tch::Tensor::f_zeros(sizes, (self.kind, self.device)).map_err(from_tch)
    }

    /// Copies the elements of pieces to the start of a row.
    fn fill(&self, row: &tch::Tensor, pieces: &[Piece]) -> Result<()> {
        let mut start = 0;
        for piece in pieces {
            let mut to = row.f_narrow(0, start, piece.length).map_err(from_tch)?;
            to.f_copy_(&self.elements(piece)?).map_err(from_tch)?;
            start += piece.length;
        }
        Ok(())
    }

    /// Copies the elements of a row to the pieces that it consists of.
    fn take(&self, pieces: &[Piece], row: &tch::Tensor) -> Result<()> {
        let mut start = 0;
        for piece in pieces {
            let from = row.f_narrow(0, start, piece.length).map_err(from_tch)?;
            self.elements(piece)?.f_copy_(&from).map_err(from_tch)?;
            start += piece.length;
        }
        Ok(())
    }

    fn elements(&self, piece: &Piece) -> Result<tch::Tensor> {
        self.flat[piece.tensor].f_narrow(0, piece.start, piece.length).map_err(from_tch)
    }

    /// Marks the tensors of some owners as written, and writes those back that are copies.
    fn write(&self, is_written: impl Fn(usize) -> bool) -> Result<()> {
        for ((tensor, flat), parts) in self.tensors.iter().zip(&self.flat).zip(&self.parts) {
            if !parts.iter().any(|part| is_written(part.owner)) {
                continue;
            }
            let mut writer = tensor.writer();
            if shim::data(TensorRef::from(flat))? != shim::data(tensor.tensor_ref())? {
                let copy = flat.f_view_as(tensor.as_ref()).map_err(from_tch)?;
                writer.f_copy_(&copy).map_err(from_tch)?;
            }
        }
        Ok(())
    }
}

/// In elements: the longest row of a round.
fn longest(round: &Round) -> i64 {
    let length = |pieces: &Vec<Piece>| pieces.iter().map(|piece| piece.length).sum();
    round.iter().map(length).max().unwrap_or(0)
}

/// Cuts the parts of tensors into rounds, of which each owner has at most `share` elements.
fn rounds(parts: &[&[Part]], size: usize, share: i64) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    let mut ends = vec![0; size];
    let parts = parts.iter().enumerate().flat_map(|(tensor, parts)| parts.iter().map(move |part| (tensor, part)));
    for (tensor, Part { owner, range }) in parts {
        let (mut start, last, end) = (range.start as i64, range.end as i64, &mut ends[*owner]);
        while start < last {
            let (round, rest) = ((*end / share) as usize, share - *end % share);
            let piece = Piece { tensor, start, length: rest.min(last - start) };
            if rounds.len() <= round {
                rounds.resize_with(round + 1, || (0..size).map(|_| Vec::new()).collect());
            }
            *end += piece.length;
            start += piece.length;
            rounds[round][*owner].push(piece);
        }
    }
    rounds
}
