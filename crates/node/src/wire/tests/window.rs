//! Credit, by a seeded machine of a sender, a stream that cuts where it likes, and a reader.

use crate::wire::WINDOW_BYTES;
use crate::wire::credit::{ReceiveWindow, SendWindow};
use crate::wire::frame::{Frame, decode, encode};
use crate::wire::link::WireError;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

const SEEDS: u64 = 200;
const BODY_BYTES: usize = 1 << 20;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap() % bound
    }
}

/// Both ends, and what is between them.
struct Machine {
    sent: usize,
    outgoing: SendWindow,
    incoming: ReceiveWindow,
    /// Towards the reader, and back.
    there: BytesMut,
    back: BytesMut,
    /// Written, not yet arrived.
    flying: (BytesMut, BytesMut),
    queue: VecDeque<Bytes>,
    read: usize,
}

/// The byte at a place of the body.
fn byte_at(place: usize) -> u8 {
    u8::try_from(place % 251).unwrap()
}

impl Machine {
    fn new() -> Self {
        Self {
            sent: 0,
            outgoing: SendWindow::default(),
            incoming: ReceiveWindow::new(),
            there: BytesMut::new(),
            back: BytesMut::new(),
            flying: (BytesMut::new(), BytesMut::new()),
            queue: VecDeque::new(),
            read: 0,
        }
    }

    fn send(&mut self, random: &mut Random, small: bool) {
        let want = 1 + random.below(if small { 64 } else { 100_000 });
        let length = self.outgoing.pay(want.min(BODY_BYTES - self.sent));
        if length > 0 {
            let bytes: Bytes = (self.sent..self.sent + length).map(byte_at).collect();
            self.sent += length;
            encode(&Frame::Chunk(bytes), &mut self.flying.0).unwrap();
        }
    }

    fn carry(&mut self, random: &mut Random) {
        let (there, back) = (random.below(self.flying.0.len() + 1), random.below(self.flying.1.len() + 1));
        self.there.extend_from_slice(&self.flying.0.split_to(there));
        self.back.extend_from_slice(&self.flying.1.split_to(back));
    }

    fn receive(&mut self) {
        while let Some(frame) = decode(&mut self.there).unwrap() {
            let Frame::Chunk(bytes) = frame else { panic!("{frame:?}") };
            self.incoming.receive(bytes.len()).unwrap();
            self.queue.push_back(bytes);
        }
        while let Some(frame) = decode(&mut self.back).unwrap() {
            let Frame::Credit(bytes) = frame else { panic!("{frame:?}") };
            self.outgoing.grant(bytes).unwrap();
        }
    }

    fn read(&mut self) {
        let Some(bytes) = self.queue.pop_front() else { return };
        for (place, byte) in bytes.iter().enumerate() {
            assert_eq!(*byte, byte_at(self.read + place));
        }
        self.read += bytes.len();
        self.incoming.take(bytes.len());
    }

    fn grant(&mut self) {
        if let Some(bytes) = self.incoming.grant() {
            encode(&Frame::Credit(bytes), &mut self.flying.1).unwrap();
        }
    }

    /// What is under way is never more than the window, in bytes and in chunks of the least cost.
    fn check(&self) {
        let window = usize::try_from(WINDOW_BYTES).unwrap();
        assert!(self.sent - self.read <= window, "{} bytes under way", self.sent - self.read);
        assert!(self.queue.len() <= window / 256, "{} chunks wait", self.queue.len());
    }
}

#[test]
fn a_body_crosses_whole_within_its_window() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut random = Random(seed);
        let mut machine = Machine::new();
        // Small chunks are many: a shorter body does.
        let small = seed % 4 == 0;
        let goal = if small { BODY_BYTES / 16 } else { BODY_BYTES };
        let mut turns = 0;
        while machine.read < goal {
            match random.below(5) {
                0 if machine.sent < BODY_BYTES => machine.send(&mut random, small),
                1 => machine.carry(&mut random),
                2 => machine.receive(),
                3 => machine.read(),
                _ => machine.grant(),
            }
            machine.check();
            turns += 1;
            assert!(turns < 1_000_000, "seed {seed}: the body stands still at {} of {goal}", machine.read);
        }
    }
}

#[test]
fn a_reader_that_does_not_read_is_sent_a_window_and_no_more() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut random = Random(seed);
        let mut machine = Machine::new();
        for _ in 0..5_000 {
            match random.below(4) {
                0 => machine.send(&mut random, seed % 2 == 0),
                1 => machine.carry(&mut random),
                2 => machine.receive(),
                _ => machine.grant(),
            }
            machine.check();
        }
        assert_eq!(machine.outgoing.pay(1), 0, "seed {seed}: the window is used up");
    }
}

#[test]
fn what_passes_the_window_is_refused() {
    let mut incoming = ReceiveWindow::new();
    assert!(matches!(incoming.receive(1), Err(WireError::Overrun)), "nothing is granted at first");
    let mut outgoing = SendWindow::default();
    assert_eq!(outgoing.pay(1), 0);
    outgoing.grant(incoming.grant().unwrap()).unwrap();
    assert!(matches!(outgoing.grant(1), Err(WireError::Granted)));
    assert!(matches!(outgoing.grant(u32::MAX), Err(WireError::Granted)));
}
