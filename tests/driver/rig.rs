//! A driver and a software NIC in one loop, under one virtual time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use avf_driver::{Control, Queue, Settings, Standing, VfError};
use capture::vf::CHOICE;
use device::{Local, Time, Witness};
use frame::{Checksum, Ledger, RxError, RxQueue as _, RxStatus, Timestamp, VlanTag};
use model::datapath::Verdict;
use model::fault::Plan;
use model::{Model, Options, Persona};

use crate::Hands;

/// A model that its driver and its test both hold.
pub type Shared = Arc<Mutex<Model>>;

/// A frame as a worker saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Queue that it came from.
    pub queue: u16,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Tag beside it.
    pub vlan: Option<VlanTag>,
    /// Checksum state.
    pub checksum: Checksum,
    /// When it was seen.
    pub time: Timestamp,
}

/// A function of a software NIC, its driver, and a worker for each of its queues.
#[derive(Debug)]
pub struct Rig {
    /// The NIC.
    pub model: Shared,
    /// What went over the bus.
    pub witness: Witness,
    /// The driver.
    pub control: Option<Control>,
    /// Its queues, once it has been up.
    pub queues: Vec<Queue>,
    /// What workers took and was not looked at yet.
    pub taken: Vec<Taken>,
    /// Frames lent in all.
    pub lent: u64,
    /// Queues that have ended.
    pub ended: std::collections::BTreeSet<u16>,
    /// Why a queue gave up.
    pub gone: Option<String>,
    /// What queues said of themselves.
    pub ledger: Ledger,
    /// What the function's user would have read.
    pub said: Vec<String>,
    /// Whether workers work.
    pub working: bool,
    now: Duration,
    next: Duration,
    hands: Hands,
}

impl Rig {
    /// A function that nobody has spoken to.
    ///
    /// # Errors
    /// When the driver does not want it.
    pub fn new(persona: Persona, options: Options, settings: Settings) -> Result<Self, VfError> {
        Self::with_plan(persona, options, settings, Plan::default())
    }

    /// The same, of which something will go wrong.
    ///
    /// # Errors
    /// When the driver does not want it.
    pub fn with_plan(
        persona: Persona,
        options: Options,
        settings: Settings,
        plan: Plan,
    ) -> Result<Self, VfError> {
        let model = Arc::new(Mutex::new(Model::new(persona, options).with_plan(plan)));
        let device = Local::new(Arc::clone(&model), Time::Virtual);
        Self::around(model, device, settings)
    }

    /// A driver of a device that has to do with this NIC.
    ///
    /// # Errors
    /// When the driver does not want it.
    pub fn around(model: Shared, device: Local, mut settings: Settings) -> Result<Self, VfError> {
        let witness = device.witness();
        // A worker of this loop looks once and goes on.
        settings.wait = Duration::ZERO;
        let control = Control::open(Box::new(device), CHOICE, settings, Duration::ZERO)?;
        Ok(Self {
            model,
            witness,
            control: Some(control),
            queues: Vec::new(),
            taken: Vec::new(),
            lent: 0,
            ended: std::collections::BTreeSet::new(),
            gone: None,
            ledger: Ledger::default(),
            said: Vec::new(),
            working: true,
            now: Duration::ZERO,
            next: Duration::ZERO,
            hands: Hands::default(),
        })
    }

    /// The NIC.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver.
    ///
    /// # Panics
    /// When it was dropped.
    #[must_use]
    pub fn control(&self) -> &Control {
        self.control.as_ref().expect("the driver is there")
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// How the function stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.control().standing()
    }

    /// Lets time pass until the next thing happens by itself, `limit` at the latest.
    pub fn turn(&mut self, limit: Duration) {
        let due = self.model().next_deadline().unwrap_or(limit);
        let to = due.min(self.next).min(limit).max(self.now);
        self.now = to;
        self.hands.set(to);
        self.model().advance(to);
        if to >= self.next
            && let Some(control) = &mut self.control
        {
            let turn = control.step(to);
            // A moment at the least, so that time goes on whatever the driver says.
            self.next = turn.next.max(to + Duration::from_micros(10));
            let hands = &self.hands;
            let new = control.queues(&mut |_| Box::new(hands.watch()));
            self.queues.extend(new);
        }
        if self.working {
            self.work();
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, length: Duration) {
        let until = self.now + length;
        while self.now < until {
            self.turn(until);
        }
    }

    /// Lets time pass until something is so, or not; whether it is.
    pub fn run_until(&mut self, limit: Duration, mut is_so: impl FnMut(&Self) -> bool) -> bool {
        let until = self.now + limit;
        while !is_so(self) {
            if self.now >= until {
                return false;
            }
            self.turn(until);
        }
        true
    }

    /// Lets time pass until the function is up.
    ///
    /// # Panics
    /// When it is not within a minute.
    pub fn up(&mut self) {
        let is_up = self.run_until(Duration::from_secs(60), |rig| rig.standing() == Standing::Up);
        assert!(is_up, "{:?}: {:?}\n{}", self.control, self.said, self.model().notes);
    }

    /// Every worker takes what is there.
    pub fn work(&mut self) {
        for queue in &mut self.queues {
            let number = queue.number();
            loop {
                match queue.burst() {
                    Ok(batch) => {
                        self.lent += batch.frames.len() as u64;
                        self.taken.extend(batch.frames.iter().map(|frame| Taken {
                            queue: number,
                            data: frame.data.to_vec(),
                            vlan: frame.vlan,
                            checksum: frame.checksum,
                            time: frame.time,
                        }));
                        match batch.status {
                            RxStatus::More => continue,
                            RxStatus::Idle(_) => {}
                            RxStatus::End => drop(self.ended.insert(number)),
                        }
                    }
                    Err(RxError::Gone(why)) => self.gone = Some(why),
                    Err(other) => panic!("{other}"),
                }
                break;
            }
            queue.account(&mut self.ledger);
            self.said.extend(queue.warnings());
        }
    }

    /// A frame arrives from the wire.
    pub fn inject(&mut self, frame: &[u8]) -> Verdict {
        self.model().receive(frame)
    }

    /// Lets the driver give the function back, and everything end.
    pub fn close(&mut self) {
        let now = self.now;
        if let Some(control) = &mut self.control {
            control.close(now);
        }
        self.next = now;
        self.run_until(Duration::from_secs(10), |rig| rig.standing() == Standing::Over);
        self.work();
    }

    /// What must be so whatever happened: the ledger balances, nothing was touched that was not to be.
    ///
    /// # Errors
    /// The sentence that is not true.
    pub fn check(&self) -> Result<(), String> {
        let Ledger { received, bypassed, .. } = self.ledger;
        let lost = self.ledger.lost_in_all();
        if received != self.lent + bypassed + lost {
            return Err(format!(
                "received {received} is not lent {}, bypassed {bypassed} and lost {lost}",
                self.lent
            ));
        }
        if let Some(stray) = self.witness.strays().first() {
            return Err(format!("{} stray accesses, the first: {stray}", self.witness.stray_count()));
        }
        let model = self.model();
        if !model.ledger.balances() {
            return Err(format!("the NIC's own ledger: {:?}", model.ledger));
        }
        if let Some(malice) = model.malice {
            return Err(format!("taken for malice: {malice:?}"));
        }
        if model.ledger.unclean != 0 {
            return Err(format!(
                "{} descriptors posted with an old write-back in them",
                model.ledger.unclean
            ));
        }
        Ok(())
    }
}
