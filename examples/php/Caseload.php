<?php

// Talks to Caseload: JSON in and out, with timeouts, one retry, and problems as exceptions.

declare(strict_types=1);

/** What Caseload, or the way to it, refused. */
final class CaseloadProblem extends RuntimeException
{
    /** @param array<string, mixed> $problem the problem (RFC 9457); empty when there was no answer */
    public function __construct(string $message, public readonly int $status = 0, public readonly array $problem = [])
    {
        parent::__construct($message);
    }
}

final class Caseload
{
    private const CONNECT_SECONDS = 3;
    private const ANSWER_SECONDS = 10;
    /** A hook that waits longer than this keeps the buyer waiting. */
    private const LONGEST_WAIT = 5;

    /** @param string $credential an API key, or an access token */
    public function __construct(private readonly string $base, private readonly string $credential = '')
    {
    }

    /**
     * Asks, and once more when Caseload is busy or cannot be reached, if that is safe: a POST is only
     * with an idempotency key, under which it happens once however often it is sent.
     *
     * @param array<string, mixed>|null $body
     * @return array<string, mixed>
     */
    public function ask(string $method, string $path, ?array $body = null, string $idempotencyKey = ''): array
    {
        [$status, $wait, $answer] = $this->send($method, $path, $body, $idempotencyKey);
        $repeatable = $method !== 'POST' || $idempotencyKey !== '';
        if (in_array($status, [0, 429, 503], true) && $repeatable && $wait <= self::LONGEST_WAIT) {
            fprintf(STDERR, "caseload: %s; trying again in %d s\n", $status ?: 'no answer', $wait);
            sleep($wait);
            [$status, , $answer] = $this->send($method, $path, $body, $idempotencyKey);
        }
        if ($status >= 200 && $status < 300) {
            return $answer === '' ? [] : json_decode($answer, true, 64, JSON_THROW_ON_ERROR);
        }
        if ($status === 0) {
            throw new CaseloadProblem("$method $path: $answer");
        }
        $problem = json_decode($answer, true) ?: [];
        $lines = [sprintf('%s %s: %d %s: %s', $method, $path, $status, $problem['code'] ?? '', $problem['detail'] ?? $answer)];
        foreach ($problem['errors'] ?? [] as $error) {
            $place = $error['pointer'] ?? $error['parameter'] ?? $error['header'] ?? '';
            $lines[] = "  $place {$error['code']}: {$error['detail']}";
        }
        $lines[] = '  request ' . ($problem['request_id'] ?? 'unknown');
        throw new CaseloadProblem(implode("\n", $lines), $status, $problem);
    }

    /**
     * Sends once.
     *
     * @param array<string, mixed>|null $body
     * @return array{int, int, string} the status, 0 for none; the seconds to wait; the answer, or why there is none
     */
    private function send(string $method, string $path, ?array $body, string $idempotencyKey): array
    {
        $headers = ['Accept: application/json'];
        if ($this->credential !== '') {
            $headers[] = "Authorization: Bearer $this->credential";
        }
        if ($idempotencyKey !== '') {
            $headers[] = "Idempotency-Key: $idempotencyKey";
        }
        $wait = 1;
        $curl = curl_init($this->base . $path);
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => self::CONNECT_SECONDS,
            CURLOPT_TIMEOUT => self::ANSWER_SECONDS,
            CURLOPT_HEADERFUNCTION => static function ($curl, string $line) use (&$wait): int {
                if (preg_match('/^retry-after:\s*(\d+)/i', $line, $found)) {
                    $wait = (int) $found[1];
                }
                return strlen($line);
            },
        ]);
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body, JSON_THROW_ON_ERROR));
        }
        curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
        $answer = curl_exec($curl);
        if ($answer === false) {
            return [0, $wait, curl_error($curl)];
        }
        return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $wait, $answer];
    }
}
