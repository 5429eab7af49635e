//! `vigie bench`.

use super::exit::{Exit, Told};
use super::flags::{Bench, BenchWhat, Capacity};
use super::print;
use super::settings::{of_the_machine, settings};
use sensor::capacity::{Attempt, HEADING, Plan, measure};
use std::time::Duration;

pub(crate) fn bench(args: &Bench) -> Result<Exit, Told> {
    match &args.what {
        BenchWhat::Capture(args) => capture(args),
    }
}

fn capture(args: &Capacity) -> Result<Exit, Told> {
    let mut settings = settings(&of_the_machine(&args.sources))?;
    // What is measured must disturb nothing: no event of it reaches the sensor's own outputs.
    "/dev/null".clone_into(&mut settings.eve.file);
    settings.eve.socket.clear();
    settings.record.folder.clear();
    if let Some(workers) = args.workers {
        settings.workers = workers;
    }
    let plan = Plan {
        lengths: args.length.clone(),
        flows: args.flows,
        senders: args.senders,
        inject: args.inject,
        time: Duration::from_secs(args.seconds.into()),
    };
    let mut all = Vec::new();
    if !args.json {
        print(preamble(&plan).as_bytes())?;
    }
    measure(&plan, &settings, &mut |attempt, lossless| {
        if !args.json {
            let _ = print(line(attempt, lossless).as_bytes());
        }
        all.push((attempt.to_json(), lossless));
    })?;
    if args.json {
        let list: Vec<_> = all
            .into_iter()
            .map(|(mut json, lossless)| {
                json["lossless"] = lossless.into();
                json
            })
            .collect();
        print(format!("{:#}\n", serde_json::Value::from(list)).as_bytes())?;
    }
    Ok(Exit::Success)
}

fn preamble(plan: &Plan) -> String {
    let how = match (plan.inject, plan.senders) {
        (true, _) => "frames made in the kernel".to_owned(),
        (false, senders) => format!("{senders} sender threads"),
    };
    format!(
        "\n  A cable of its own, {} conversations, {how} on the cores that the sensor works on, {} s a rate.\n  \
         Of each length: as fast as it can be sent, then the highest rate found without loss (within 2 %).\n\n  {:<10}{HEADING}\n",
        plan.flows,
        plan.time.as_secs(),
        "",
    )
}

fn line(attempt: &Attempt, lossless: bool) -> String {
    let what = if lossless { "no loss" } else { "most" };
    format!("  {what:<10}{attempt}\n")
}
