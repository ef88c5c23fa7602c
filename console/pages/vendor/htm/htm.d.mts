// For tsc alone: the types are those of the package, which the development tools have.
export { default } from "htm";
