<?php

// What Composer would write for the client that is generated in PHP: loads it, and Guzzle as Debian has it.

declare(strict_types=1);

require_once 'GuzzleHttp/autoload.php';

spl_autoload_register(static function (string $class): void {
    $prefix = 'Caseload\\Client\\';
    if (str_starts_with($class, $prefix)) {
        require_once __DIR__ . '/../lib/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    }
});
