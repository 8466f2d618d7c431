//! A command that does what its arguments say, in order: `print TEXT`, `complain TEXT`, `arguments`, `env`, `copy-stdin`,
//! `read PATH`, `write PATH TEXT`, `list PATH`, `connect HOST:PORT`, `exit CODE`, `spin`, `trap`, `allocate`, `recurse`, `count LINES`.

use std::io::{Read as _, Write as _};

fn main() {
    let mut arguments = std::env::args().skip(1);
    while let Some(action) = arguments.next() {
        let mut next = || arguments.next().unwrap_or_else(|| fail(&format!("{action} lacks its argument")));
        match action.as_str() {
            "print" => println!("{}", next()),
            "complain" => eprintln!("{}", next()),
            "arguments" => std::env::args().for_each(|argument| println!("arg {argument}")),
            "env" => std::env::vars().for_each(|(name, value)| println!("env {name}={value}")),
            "copy-stdin" => copy_stdin(),
            "read" => read(&next()),
            "write" => write(&next(), &next()),
            "list" => list(&next()),
            "connect" => connect(&next()),
            "exit" => std::process::exit(next().parse().unwrap_or(1)),
            "spin" => endless::spin(),
            "trap" => panic!("as asked"),
            "allocate" => endless::allocate(),
            "recurse" => println!("{}", recurse(0)),
            "count" => count(&next()),
            other => fail(&format!("unknown action {other}")),
        }
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2);
}

fn copy_stdin() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).unwrap();
    std::io::stdout().write_all(&input).unwrap();
}

fn read(path: &str) {
    match std::fs::read_to_string(path) {
        Ok(text) => print!("{text}"),
        Err(error) => println!("read refused {:?}", error.kind()),
    }
}

fn write(path: &str, text: &str) {
    match std::fs::write(path, text) {
        Ok(()) => println!("written"),
        Err(error) => println!("write refused {:?}", error.kind()),
    }
}

fn list(path: &str) {
    match std::fs::read_dir(path) {
        Ok(entries) => {
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names.iter().for_each(|name| println!("{}", name.to_string_lossy()));
        }
        Err(error) => println!("list refused {:?}", error.kind()),
    }
}

fn connect(address: &str) {
    match std::net::TcpStream::connect(address) {
        Ok(_) => println!("connected"),
        Err(error) => println!("connect refused {:?}", error.kind()),
    }
}

#[expect(unconditional_recursion, reason = "that is the behaviour")]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    recurse(depth + 1) + frame[0]
}

fn count(lines: &str) {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for n in 0..lines.parse::<u64>().unwrap_or(0) {
        writeln!(out, "{n}").unwrap();
    }
}
