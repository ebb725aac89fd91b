"""The MIME types that names of files stand for, and which of them are text."""

from __future__ import annotations

__all__ = ["BY_EXTENSION", "BY_NAME", "CODE", "TEXTUAL"]

_LANGUAGES = {
    "asm": "asm s",
    "c": "c h",
    "c++": "cc cpp cxx hh hpp hxx",
    "clojure": "clj cljs",
    "cmake": "cmake",
    "csharp": "cs",
    "dart": "dart",
    "diff": "diff patch",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "fortran": "f f90 f95",
    "fsharp": "fs fsx",
    "go": "go",
    "graphql": "gql graphql",
    "groovy": "gradle groovy",
    "haskell": "hs",
    "hcl": "hcl tf",
    "java": "java",
    "julia": "jl",
    "kotlin": "kt kts",
    "lua": "lua",
    "makefile": "mak mk",
    "matlab": "m",
    "objective-c": "mm",
    "ocaml": "ml mli",
    "pascal": "pas",
    "perl": "pl pm",
    "php": "php",
    "powershell": "ps1 psm1",
    "protobuf": "proto",
    "python": "py pyi pyw",
    "r": "r",
    "ruby": "rb",
    "rust": "rs",
    "sass": "sass scss less",
    "scala": "sc scala",
    "sh": "bash bat cmd fish ksh sh zsh",
    "sql": "sql",
    "svelte": "svelte",
    "swift": "swift",
    "typescript": "cts mts ts tsx",
    "vb": "vb vbs",
    "vue": "vue",
    "zig": "zig",
}
_TEXTS = {
    "application/json": "geojson json json5 map webmanifest",
    "application/jsonl": "jsonl ndjson",
    "application/toml": "toml",
    "application/x-ipynb+json": "ipynb",
    "application/xml": "plist rss svg wsdl xml xsd xsl xslt",
    "application/yaml": "yaml yml",
    "message/rfc822": "eml",
    "text/css": "css",
    "text/csv": "csv",
    "text/html": "htm html xhtml",
    "text/javascript": "cjs js jsx mjs",
    "text/markdown": "markdown md mdown mdx mkd qmd rmd",
    "text/plain": "cfg conf env ini log lst properties text txt srt vtt",
    "text/tab-separated-values": "tab tsv",
    "text/x-rst": "rst",
    "text/x-tex": "bib latex tex",
}
_BINARIES = {
    "application/epub+zip": "epub",
    "application/gzip": "gz tgz",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptm pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsb xlsm xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docm docx",
    "application/zip": "zip",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/wav": "wav",
    "image/jpeg": "jpeg jpg",
    "image/png": "png",
    "video/mp4": "m4v mov mp4",
}
BY_EXTENSION = {
    extension: kind
    for table in ({f"text/x-{language}": names for language, names in _LANGUAGES.items()}, _TEXTS, _BINARIES)
    for kind, names in table.items()
    for extension in names.split()
}
BY_NAME = {"dockerfile": "text/x-dockerfile", "makefile": "text/x-makefile", "cmakelists.txt": "text/x-cmake"}
CODE = {f"text/x-{each}" for each in (*_LANGUAGES, "dockerfile")} | {"text/css", "text/javascript"}
TEXTUAL = CODE | set(_TEXTS)
