// A planted bug that the address sanitizer must find: a program that reads memory which it has freed.

fn main() {
    let numbers: *const i32 = vec![1, 2, 3].as_ptr();
    // SAFETY: none, it is the planted bug.
    println!("{}", unsafe { std::ptr::read_volatile(numbers) });
}
