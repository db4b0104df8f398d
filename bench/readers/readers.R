# Readers in R: see readers.py.
#
#     Rscript --vanilla readers.R PACKAGE FILE
args <- commandArgs(trailingOnly = TRUE)
name <- args[1]
path <- args[2]
if (!requireNamespace(name, quietly = TRUE)) {
  cat('{"missing": true}\n')
  quit(save = "no")
}
version <- as.character(packageVersion(name))
says <- function(x) if (isTRUE(x)) "true" else "false"
tryCatch({
  t <- if (name == "nanoparquet") nanoparquet::read_parquet(path) else arrow::read_parquet(path)
  keys <- if (name == "nanoparquet") nanoparquet::read_parquet_metadata(path)$file_meta_data$key_value_metadata[[1]]$key
          else names(arrow::read_parquet(path, as_data_frame = FALSE)$metadata)
  # A double has 53 bits: seconds to a fraction of a microsecond.
  micros <- round(as.numeric(t$start_time[1]) * 1e6)
  cat(sprintf('{"version": "%s", "rows": %d, "time": %.0f000, "zone": %s, "port": %d, "bytes": %.0f, "list": [%s], "definitions": %s}\n',
    version, nrow(t), micros, says(attr(t$start_time, "tzone") == "UTC"), as.integer(t$src_port[1]), sum(as.numeric(t$fwd_tot_byte)),
    paste(t$splt_size[[1]], collapse = ", "), says("flowfast.definitions" %in% keys)))
}, error = function(e) {
  cat(sprintf('{"version": "%s", "error": "%s"}\n', version, gsub('["\\\\\n]', " ", substr(conditionMessage(e), 1, 160))))
})
