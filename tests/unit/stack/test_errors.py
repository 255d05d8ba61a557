from stack.errors import NotReadyError


def test_a_part_that_is_not_ready_quotes_the_end_of_its_log(tmp_path):
    log = tmp_path / "kafka.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    message = str(NotReadyError("kafka did not answer within 90 s", log))
    assert message.startswith(f"kafka did not answer within 90 s. The last lines of {log}:")
    assert message.endswith("line 99")
    assert "line 85" in message
    assert "line 84" not in message


def test_an_absent_log_is_no_second_error(tmp_path):
    assert "no such file" in str(NotReadyError("kafka ended", tmp_path / "kafka.log"))
